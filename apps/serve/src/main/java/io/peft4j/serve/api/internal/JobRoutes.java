package io.peft4j.serve.api.internal;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.error.support.Count;
import io.peft4j.serve.http.internal.ApiException;
import io.peft4j.serve.http.internal.Bodies;
import io.peft4j.serve.http.internal.Caller;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.http.internal.Operation;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.http.internal.Routes;
import io.peft4j.serve.job.internal.JobRequest;
import io.peft4j.serve.job.internal.JobWorker;
import io.peft4j.serve.model.internal.ServedModel;
import io.peft4j.serve.model.internal.ServedModels;
import io.peft4j.serve.store.internal.Ids;
import io.peft4j.serve.store.internal.Job;
import io.peft4j.serve.store.internal.JobCheckpoint;
import io.peft4j.serve.store.internal.JobEvent;
import io.peft4j.serve.store.internal.JobStatus;
import io.peft4j.serve.store.internal.Store;
import io.peft4j.serve.store.internal.StoredFile;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code /v1/fine_tuning}. */
public final class JobRoutes implements RouteGroup {
    private static final String JOBS = "/v1/fine_tuning/jobs";
    private static final Pattern METADATA = Pattern.compile("metadata\\[(.*)]");
    private static final int LISTED = 20;
    private static final int CHECKPOINTS_LISTED = 10;
    private static final int MOST_LISTED = 1000;
    private static final long DAY = 86_400;

    private final Store store;
    private final ServedModels models;
    private final JobWorker worker;
    private final JobJson json;
    private final Clock clock;

    /** Routes over what is stored; the worker is told of what there is to do. */
    public JobRoutes(Store store, ServedModels models, JobWorker worker, String organization, Clock clock) {
        this.store = store;
        this.models = models;
        this.worker = worker;
        this.json = new JobJson(organization);
        this.clock = clock;
    }

    @Override
    public void addTo(Routes routes) {
        routes.post(JOBS, Operation.of("createJob", "Makes a fine-tuning job").body("JobRequest").reply("Job"),
                this::create);
        routes.get(JOBS, Paging.describe(Operation.of("listJobs", "Lists jobs, by metadata with metadata[KEY]=VALUE"),
                MOST_LISTED, "Job"), this::list);
        routes.get(JOBS + "/{id}", Operation.of("retrieveJob", "Tells of a job").reply("Job"),
                request -> Bodies.reply(request, json.of(find(request))));
        routes.post(JOBS + "/{id}/cancel", Operation.of("cancelJob", "Ends a job").reply("Job"), this::cancel);
        routes.post(JOBS + "/{id}/pause", Operation.of("pauseJob", "Lets a job wait").reply("Job"), this::pause);
        routes.post(JOBS + "/{id}/resume", Operation.of("resumeJob", "Lets a paused job go on").reply("Job"),
                this::resume);
        routes.get(JOBS + "/{id}/events", Paging.describe(Operation.of("listJobEvents", "What happened to a job"),
                MOST_LISTED, "JobEvent"), this::events);
        routes.get(JOBS + "/{id}/checkpoints", Paging.describe(Operation.of("listJobCheckpoints",
                "The models of a job on its way"), MOST_LISTED, "JobCheckpoint"), this::checkpoints);
    }

    private void create(Context request) {
        Caller caller = Caller.of(request);
        ObjectNode wanted = JobRequest.of(Bodies.object(request));
        String name = wanted.get("model").asText();
        ServedModel model = ModelRoutes.answering(models, name, caller);
        wanted.put("model", model.name());
        requireFile(caller, "training_file", wanted.get("training_file").asText());
        if (!wanted.get("validation_file").isNull()) {
            requireFile(caller, "validation_file", wanted.get("validation_file").asText());
        }
        long now = now();
        String type = wanted.get("method").get("type").asText();
        Job job = new Job(Ids.next("ftjob-"), caller.id(), caller.home(), models.baseName(), JobStatus.VALIDATING_FILES,
                false,
                wanted, (ObjectNode) wanted.get("method").get(type).get("hyperparameters"), Optional.empty(),
                Optional.empty(), Optional.empty(), List.of(), now, Optional.empty(), Optional.empty(),
                Optional.empty());
        List<JobEvent> events = List.of(JobEvent.info("created", "Created fine-tuning job: " + job.id()),
                JobEvent.info("validating", "Validating training file: " + job.trainingFile()));
        store.disk().requireRoom(0);
        if (caller.jobsPerDay().isEmpty()) {
            store.jobs().add(job, events);
        } else if (!store.jobs().add(job, events, caller.jobsPerDay().get(), now - DAY)) {
            throw ApiException.tooMany("insufficient_quota", "the key's limit of "
                    + Count.of(caller.jobsPerDay().get(), "job") + " a day is reached", (int) DAY);
        }
        worker.wake();
        Bodies.reply(request, json.of(job));
    }

    private void requireFile(Caller caller, String field, String id) {
        Optional<StoredFile> file = Optional.of(id).filter(Ids::isValid)
                .flatMap(valid -> store.files().find(valid, caller.project(), now()));
        if (file.isEmpty()) {
            throw ApiException.of(400, "invalid_request_error", "invalid_" + field, field, "no such file: '" + id
                    + "'");
        }
        if (!file.get().purpose().equals("fine-tune")) {
            throw ApiException.of(400, "invalid_request_error", "invalid_" + field, field, "the file '" + id
                    + "' was uploaded for '" + file.get().purpose() + "'; upload it with the purpose fine-tune");
        }
    }

    private void list(Context request) {
        Map<String, String> metadata = new LinkedHashMap<>();
        request.queryParamMap().forEach((name, values) -> {
            Matcher matcher = METADATA.matcher(name);
            if (matcher.matches()) {
                metadata.put(matcher.group(1), values.get(0));
            }
        });
        boolean none = Optional.ofNullable(request.queryParam("metadata")).filter(text -> !text.isEmpty())
                .map(JobRoutes::isNull).orElse(false);
        Bodies.reply(request, Paging.json(store.jobs().list(Caller.of(request).project(), metadata, none,
                Paging.of(request, LISTED, MOST_LISTED))
                .orElseThrow(Paging::unknownAfter), json::of));
    }

    /** OpenAI's way to ask for jobs without metadata. */
    private static boolean isNull(String metadata) {
        if (!metadata.equals("null")) {
            throw ApiException.invalid("metadata", "metadata is asked for by metadata[KEY]=VALUE; metadata=null are "
                    + "jobs without any");
        }
        return true;
    }

    private void cancel(Context request) {
        Job job = find(request);
        if (!store.jobs().cancel(job.id(), now())) {
            throw wrongStatus(job, "cancelled");
        }
        worker.wake();
        Bodies.reply(request, json.of(find(request)));
    }

    private void pause(Context request) {
        Job job = find(request);
        if (!store.jobs().pause(job.id(), now()) && !find(request).paused()) {
            throw wrongStatus(job, "paused");
        }
        worker.wake();
        Bodies.reply(request, json.of(find(request)));
    }

    private void resume(Context request) {
        Job job = find(request);
        if (!store.jobs().resume(job.id(), now())) {
            throw wrongStatus(job, "resumed");
        }
        worker.wake();
        Bodies.reply(request, json.of(find(request)));
    }

    private static ApiException wrongStatus(Job job, String action) {
        return ApiException.of(400, "invalid_request_error", "invalid_job_status", null, "the job " + job.id()
                + " cannot be " + action + ": it is " + (job.paused() ? "paused" : job.status().code()));
    }

    private void events(Context request) {
        Job job = find(request);
        Bodies.reply(request, Paging.json(store.events().list(job.id(), Paging.of(request, LISTED, MOST_LISTED))
                .orElseThrow(Paging::unknownAfter), JobRoutes::event));
    }

    private static ObjectNode event(JobEvent.Kept kept) {
        JobEvent event = kept.event();
        ObjectNode node = Json.object().put("object", "fine_tuning.job.event").put("id", kept.id())
                .put("created_at", kept.createdAt()).put("level", event.level()).put("message", event.message())
                .put("type", event.type());
        node.set("data", event.data());
        return node;
    }

    private void checkpoints(Context request) {
        Job job = find(request);
        Bodies.reply(request, Paging.json(store.events().checkpoints(job.id(), Paging.of(request, CHECKPOINTS_LISTED,
                MOST_LISTED)).orElseThrow(Paging::unknownAfter), JobRoutes::checkpoint));
    }

    private static ObjectNode checkpoint(JobCheckpoint checkpoint) {
        ObjectNode node = Json.object().put("object", "fine_tuning.job.checkpoint").put("id", checkpoint.id())
                .put("created_at", checkpoint.createdAt()).put("fine_tuning_job_id", checkpoint.job())
                .put("fine_tuned_model_checkpoint", checkpoint.model()).put("step_number", checkpoint.step());
        node.set("metrics", checkpoint.metrics());
        return node;
    }

    private Job find(Context request) {
        return find(store, request);
    }

    /** The job that a path names. */
    static Job find(Store store, Context request) {
        String id = request.pathParam("id");
        return Optional.of(id).filter(Ids::isValid).flatMap(store.jobs()::find)
                .filter(job -> Caller.of(request).sees(job.project()))
                .orElseThrow(() -> ApiException.notFound("fine_tuning_job_id", "fine_tune_not_found",
                        "no such fine-tuning job: '" + id
                                + "'"));
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }
}
