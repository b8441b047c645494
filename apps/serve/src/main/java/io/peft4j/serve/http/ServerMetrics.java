package io.peft4j.serve.http;

import io.javalin.http.Context;
import io.javalin.router.Endpoint;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.peft4j.core.measure.ProcessUsage;
import java.time.Duration;
import java.util.function.Supplier;

/** What is counted for {@code /metrics}; whatever belongs to the server adds its own to {@link #registry}. */
public final class ServerMetrics {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    /** Counts nothing yet but memory and threads. */
    public ServerMetrics() {
        gauge("jvm.memory.used.bytes", "Java heap in use", () -> Runtime.getRuntime().totalMemory()
                - Runtime.getRuntime().freeMemory());
        gauge("jvm.threads", "Java threads", Thread::activeCount);
        // Models lie outside of Java's heap. Not a number where the system does not tell.
        gauge("process.resident.memory.bytes", "Memory of the process, models included",
                () -> ProcessUsage.residentBytes().stream().asDoubleStream().findFirst().orElse(Double.NaN));
    }

    /** For meters of others. */
    public MeterRegistry registry() {
        return registry;
    }

    /** A value that is computed when it is read. */
    public void gauge(String name, String description, Supplier<Number> value, String... tags) {
        Gauge.builder(name, value).description(description).tags(tags).register(registry);
    }

    /** A request was answered; it is counted by its route, never by its content. */
    void answered(Context request, Duration time) {
        Endpoint route = request.endpoints().lastHttpEndpoint();
        Timer.builder("http.server.requests").description("Requests by route and status")
                .tag("method", request.method().name()).tag("route", route == null ? "none" : route.path)
                .tag("status", String.valueOf(request.statusCode())).register(registry).record(time);
    }

    /** All values as Prometheus reads them. */
    public String scrape() {
        return registry.scrape();
    }
}
