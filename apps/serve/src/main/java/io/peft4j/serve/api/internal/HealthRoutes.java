package io.peft4j.serve.api.internal;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.peft4j.serve.http.internal.Bodies;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.http.internal.ServerMetrics;
import io.peft4j.serve.job.internal.JobWorker;
import io.peft4j.serve.model.internal.ServedModels;
import io.peft4j.serve.store.internal.JobStatus;
import io.peft4j.serve.store.internal.Store;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** {@code /health}, {@code /metrics}, and the description of all routes at {@code /openapi.json}. */
public final class HealthRoutes implements RouteGroup {
    private static final String DESCRIPTION = "openapi.json";

    private final ServedModels models;
    private final Store store;
    private final ServerMetrics meters;

    /** Routes about the server itself. */
    public HealthRoutes(ServedModels models, Store store, JobWorker worker, ServerMetrics meters) {
        this.models = models;
        this.store = store;
        this.meters = meters;
        meters.gauge("peft4j.jobs.training", "Jobs that train here now", worker::training);
        meters.gauge("peft4j.models", "Models that answer, checkpoints not counted", () -> models.all().size());
        for (JobStatus status : JobStatus.values()) {
            meters.gauge("peft4j.jobs", "Jobs by status", () -> jobs().getOrDefault(status.code(), 0L), "status",
                    status.code());
        }
    }

    private Map<String, Long> jobs() {
        return store.jobs().counts();
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.get("/health", request -> Bodies.reply(request, Json.object().put("status", "ok")
                .put("model", models.baseName())));
        routes.get("/metrics", request -> request.contentType("text/plain; version=0.0.4; charset=utf-8")
                .result(meters.scrape()));
        routes.get("/openapi.json", HealthRoutes::describe);
    }

    private static void describe(Context request) {
        try (InputStream description = HealthRoutes.class.getResourceAsStream(DESCRIPTION)) {
            request.contentType("application/json").result(new String(description.readAllBytes(),
                    StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the description of the routes", e);
        }
    }
}
