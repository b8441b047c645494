package io.peft4j.serve.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.http.ServerMetrics;
import io.peft4j.serve.job.JobWorker;
import io.peft4j.serve.model.ServedModels;
import io.peft4j.serve.store.JobStatus;
import io.peft4j.serve.store.Store;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** {@code /health} and {@code /metrics}. */
public final class HealthRoutes implements RouteGroup {
    private final ServedModels models;
    private final Store store;
    private final JobWorker worker;
    private final ServerMetrics meters;
    private final Supplier<Optional<String>> answering;

    /**
     * Routes about the server itself.
     *
     * @param answering gives why answers do not come
     */
    public HealthRoutes(ServedModels models, Store store, JobWorker worker, ServerMetrics meters,
            Supplier<Optional<String>> answering) {
        this.answering = answering;
        this.models = models;
        this.store = store;
        this.worker = worker;
        this.meters = meters;
        meters.gauge("peft4j.jobs.training", "Jobs that train here now",
                () -> worker.working(JobStatus.RUNNING));
        meters.gauge("peft4j.jobs.checking", "Jobs whose data are checked here now",
                () -> worker.working(JobStatus.VALIDATING_FILES));
        meters.gauge("peft4j.models", "Models that answer, checkpoints not counted",
                () -> models.all(Caller.LOCAL).size());
        meters.gauge("peft4j.adapters", "Adapters in memory", models::adaptersInMemory);
        for (JobStatus status : JobStatus.values()) {
            meters.gauge("peft4j.jobs", "Jobs by status", () -> jobs().getOrDefault(status.code(), 0L), "status",
                    status.code());
        }
    }

    private Map<String, Long> jobs() {
        return store.jobs().counts();
    }

    private ObjectNode health() {
        List<String> problems = worker.problems();
        answering.get().ifPresent(problems::add);
        String status = problems.isEmpty() ? "ok" : "degraded";
        ObjectNode health = Json.object().put("status", store.disk().isFull() ? "disk_full" : status)
                .put("model", models.baseName());
        models.base().weights().ifPresent(weights -> health.put("weights", weights));
        if (!problems.isEmpty()) {
            problems.forEach(health.putArray("problems")::add);
        }
        return health;
    }

    @Override
    public void addTo(Routes routes) {
        routes.get("/health", Operation.of("health", "Whether the server lives").withoutKey().reply(Operation.OBJECT),
                request -> Bodies.reply(request, health()));
        routes.get("/metrics", Operation.of("metrics", "Values for Prometheus").reply("text/plain", Operation.TEXT),
                request -> request.contentType("text/plain; version=0.0.4; charset=utf-8").result(meters.scrape()));
    }
}
