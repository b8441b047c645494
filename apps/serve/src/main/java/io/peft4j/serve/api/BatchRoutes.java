package io.peft4j.serve.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.job.BatchRun;
import io.peft4j.serve.job.JobRequest;
import io.peft4j.serve.job.JobWorker;
import io.peft4j.serve.store.Ids;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobStatus;
import io.peft4j.serve.store.Store;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code /v1/batches}: files of requests, which are answered when no client waits. */
public final class BatchRoutes implements RouteGroup {
    private static final String BATCHES = "/v1/batches";
    private static final String WINDOW = "24h";
    private static final Pattern LINE = Pattern.compile("line (\\d+): ");
    private static final int LISTED = 20;
    private static final int MOST_LISTED = 100;

    private final Store store;
    private final String base;
    private final BatchRun batches;
    private final Set<String> endpoints;
    private final JobWorker worker;
    private final Clock clock;

    /**
     * Routes over what is stored; the worker is notified of work.
     *
     * @param base the base model, whose servers answer
     * @param endpoints the paths that requests may name
     */
    public BatchRoutes(Store store, String base, BatchRun batches, Set<String> endpoints, JobWorker worker,
            Clock clock) {
        this.store = store;
        this.base = base;
        this.batches = batches;
        this.endpoints = endpoints;
        this.worker = worker;
        this.clock = clock;
    }

    @Override
    public void addTo(Routes routes) {
        routes.post(BATCHES, Operation.of("createBatch", "Answers the requests of a file").body("BatchRequest")
                .atMost(Bound.NAMES_BYTES).reply("Batch"), this::create);
        routes.get(BATCHES, Paging.describe(Operation.of("listBatches", "Lists batches"), MOST_LISTED, "Batch"),
                request -> Bodies.reply(request, Paging.json(store.jobs().list(true, Caller.of(request).project(),
                        Map.of(), false, Paging.of(request, LISTED, MOST_LISTED)),
                        BatchRoutes::json)));
        routes.get(BATCHES + "/{id}", Operation.of("retrieveBatch", "Tells of a batch").reply("Batch"),
                request -> Bodies.reply(request, json(find(request))));
        routes.post(BATCHES + "/{id}/cancel", Operation.of("cancelBatch", "Ends a batch; its answers so far stay")
                .reply("Batch"), this::cancel);
    }

    private void create(Context request) {
        Caller caller = Caller.of(request);
        RequestFields fields = new RequestFields(Bodies.object(request));
        ObjectNode wanted = Json.object().put("input_file_id", fields.requiredText("input_file_id"))
                .put("endpoint", fields.requiredText("endpoint"))
                .put("completion_window", fields.requiredText("completion_window"));
        wanted.set("metadata", JobRequest.metadata(fields));
        fields.unsupported("output_expires_after", "what a batch leaves stays until it is deleted");
        fields.requireKnown();
        String endpoint = wanted.get("endpoint").asText();
        if (!endpoints.contains(endpoint)) {
            throw ApiException.invalid("endpoint", "no batches for '" + endpoint + "'; "
                    + SimilarNames.sentence(endpoint, endpoints));
        }
        if (!wanted.get("completion_window").asText().equals(WINDOW)) {
            throw ApiException.invalid("completion_window", "'completion_window' must be " + WINDOW);
        }
        long now = clock.instant().getEpochSecond();
        JobRoutes.requireFile(store, request, "input_file_id", wanted.get("input_file_id").asText(), "batch", now);
        store.disk().requireRoom(0);
        Job batch = Job.begun(Ids.next(Job.BATCH), caller.id(), caller.home(), base, wanted, Json.object(), now);
        store.jobs().add(batch, List.of());
        worker.wake();
        Bodies.reply(request, json(batch));
    }

    private void cancel(Context request) {
        Job batch = find(request);
        if (!store.jobs().cancel(batch.id(), clock.instant().getEpochSecond())) {
            throw JobRoutes.wrongStatus("the batch " + batch.id(), "cancelled", status(find(request)));
        }
        worker.wake();
        batches.leave(find(request));
        Bodies.reply(request, json(find(request)));
    }

    private Job find(Context request) {
        return JobRoutes.find(store, request, true).orElseThrow(() -> ApiException.notFound("batch_id",
                "batch_not_found", "no such batch: '" + request.pathParam("id") + "'"));
    }

    private static String status(Job batch) {
        return switch (batch.status()) {
            case VALIDATING_FILES -> "validating";
            case QUEUED, RUNNING -> batch.hyperparameters().has("finalizing_at") ? "finalizing" : "in_progress";
            case SUCCEEDED -> "completed";
            case FAILED, CANCELLED -> batch.status().code();
        };
    }

    private static ObjectNode json(Job batch) {
        ObjectNode progress = batch.hyperparameters();
        ObjectNode json = Json.object().put("id", batch.id()).put("object", "batch")
                .put("endpoint", batch.request().get("endpoint").asText()).put("status", status(batch))
                .put("input_file_id", batch.request().get("input_file_id").asText())
                .put("completion_window", WINDOW).put("output_file_id", left(batch, "-output"))
                .put("error_file_id", left(batch, "-error")).put("created_at", batch.createdAt())
                .putNull("expires_at").putNull("expired_at");
        json.set("in_progress_at", progress.get("in_progress_at"));
        json.set("finalizing_at", progress.get("finalizing_at"));
        json.put("completed_at", ended(batch, JobStatus.SUCCEEDED)).put("failed_at", ended(batch, JobStatus.FAILED))
                .put("cancelling_at", ended(batch, JobStatus.CANCELLED))
                .put("cancelled_at", ended(batch, JobStatus.CANCELLED));
        ObjectNode counts = json.putObject("request_counts");
        List.of("total", "completed", "failed").forEach(name -> counts.put(name, progress.path(name).asInt()));
        json.set("metadata", batch.request().get("metadata"));
        json.set("errors", batch.error().map(BatchRoutes::errors).orElse(null));
        return json;
    }

    private static String left(Job batch, String ending) {
        return batch.resultFiles().stream().filter(id -> id.endsWith(ending)).findFirst().orElse(null);
    }

    private static Long ended(Job batch, JobStatus status) {
        return batch.finishedAt().filter(time -> batch.status() == status).orElse(null);
    }

    private static ObjectNode errors(JsonNode error) {
        ObjectNode errors = Json.object().put("object", "list");
        Matcher line = LINE.matcher(error.path("message").asText());
        ObjectNode one = errors.putArray("data").addObject();
        one.setAll((ObjectNode) error);
        one.put("line", line.lookingAt() ? Integer.valueOf(line.group(1)) : null);
        return errors;
    }
}
