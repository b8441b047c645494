package io.peft4j.serve.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.error.Count;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.job.JobRequest;
import io.peft4j.serve.job.JobWorker;
import io.peft4j.serve.model.ServedModel;
import io.peft4j.serve.model.ServedModels;
import io.peft4j.serve.store.Ids;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobCheckpoint;
import io.peft4j.serve.store.JobEvent;
import io.peft4j.serve.store.JobStatus;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoredFile;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

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

    /** Routes over what is stored; the worker is notified of work. */
    public JobRoutes(Store store, ServedModels models, JobWorker worker, String organization, Clock clock) {
        this.store = store;
        this.models = models;
        this.worker = worker;
        this.json = new JobJson(organization);
        this.clock = clock;
    }

    @Override
    public void addTo(Routes routes) {
        routes.post(JOBS,
                Operation.of("createJob", "Makes a fine-tuning job").body("JobRequest").atMost(Bound.JOB_BYTES)
                        .reply("Job"),
                this::create);
        routes.get(JOBS, Paging.describe(Operation.of("listJobs", "Lists jobs, by metadata with metadata[KEY]=VALUE"),
                MOST_LISTED, "Job"), this::list);
        routes.get(JOBS + "/{id}", Operation.of("retrieveJob", "Tells of a job").reply("Job"),
                request -> Bodies.reply(request, json.of(find(request))));
        routes.post(JOBS + "/{id}/cancel", Operation.of("cancelJob", "Ends a job").reply("Job"),
                request -> change(request, job -> store.jobs().cancel(job.id(), now()), "cancelled"));
        routes.post(JOBS + "/{id}/pause", Operation.of("pauseJob", "Lets a job wait").reply("Job"),
                request -> change(request, job -> job.paused() || store.jobs().pause(job.id(), now()), "paused"));
        routes.post(JOBS + "/{id}/resume", Operation.of("resumeJob", "Lets a paused job go on").reply("Job"),
                request -> change(request, job -> store.jobs().resume(job.id(), now()), "resumed"));
        routes.get(JOBS + "/{id}/events", Paging.describe(Operation.of("listJobEvents", "What happened to a job"),
                MOST_LISTED, "JobEvent"), this::events);
        routes.get(JOBS + "/{id}/checkpoints", Paging.describe(Operation.of("listJobCheckpoints",
                "The models of a job on its way"), MOST_LISTED, "JobCheckpoint"), this::checkpoints);
        routes.elsewhere("/v1/fine_tuning/checkpoints", "a checkpoint belongs to the project of its job, and all keys "
                + "of that project use it; a server that is started with its folder as an adapter opens it to all");
    }

    private void create(Context request) {
        Caller caller = Caller.of(request);
        ObjectNode wanted = JobRequest.of(Bodies.object(request));
        String name = wanted.get("model").asText();
        ServedModel model = ModelRoutes.answering(models, name, caller);
        wanted.put("model", model.name());
        long now = now();
        for (String field : List.of("training_file", "validation_file")) {
            if (!wanted.get(field).isNull()) {
                requireFile(store, request, field, wanted.get(field).asText(), "fine-tune", now);
            }
        }
        String type = wanted.get("method").get("type").asText();
        Job job = Job.begun(Ids.next("ftjob-"), caller.id(), caller.home(), models.baseName(), wanted,
                (ObjectNode) wanted.get("method").get(type).get("hyperparameters"), now);
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

    /** Refuses what is not a file of the caller for this purpose, and a table or document that is none yet. */
    static void requireFile(Store store, Context request, String field, String id, String purpose, long now) {
        Optional<StoredFile> file = Optional.of(id).filter(Ids::isValid)
                .flatMap(valid -> store.files().find(valid, Caller.of(request).project(), now));
        boolean fits = file.map(StoredFile::purpose).equals(Optional.of(purpose));
        Optional<String> advice = file.filter(any -> purpose.equals("fine-tune") && !(fits && any.status().equals(
                "processed"))).flatMap(any -> FileRoutes.advice(id, any.filename(), request));
        if (!fits || advice.isPresent()) {
            throw ApiException.of(400, "invalid_request_error", "invalid_" + field, field, advice.orElse(file.isEmpty()
                    ? "no such file: '" + id + "'" : "the file '" + id + "' was uploaded for '" + file.get().purpose()
                            + "'; upload it with the purpose " + purpose));
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
        Bodies.reply(request, Paging.json(store.jobs().list(false, Caller.of(request).project(), metadata, none,
                Paging.of(request, LISTED, MOST_LISTED)), json::of));
    }

    /** OpenAI's way to ask for jobs without metadata. */
    private static boolean isNull(String metadata) {
        if (!metadata.equals("null")) {
            throw ApiException.invalid("metadata", "metadata is asked for by metadata[KEY]=VALUE; metadata=null are "
                    + "jobs without any");
        }
        return true;
    }

    private void change(Context request, Predicate<Job> change, String done) {
        Job job = find(request);
        if (!change.test(job)) {
            Job now = find(request);
            throw wrongStatus("the job " + now.id(), done, now.paused() ? "paused" : now.status().code());
        }
        worker.wake();
        Bodies.reply(request, json.of(find(request)));
    }

    /** 400 for what cannot be done to a job or batch that is as it is. */
    static ApiException wrongStatus(String id, String action, String status) {
        return ApiException.of(400, "invalid_request_error", "invalid_job_status", null, id + " cannot be " + action
                + ": it is " + status);
    }

    private void events(Context request) {
        Job job = find(request);
        Bodies.reply(request,
                Paging.json(store.events().list(job.id(), Paging.of(request, LISTED, MOST_LISTED)), JobRoutes::event));
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
                MOST_LISTED)), JobRoutes::checkpoint));
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
        return find(store, request, false).orElseThrow(() -> ApiException.notFound("fine_tuning_job_id",
                "fine_tune_not_found", "no such fine-tuning job: '" + request.pathParam("id") + "'"));
    }

    /** The job or batch that a path names, where the caller sees it. */
    static Optional<Job> find(Store store, Context request, boolean batch) {
        return Optional.of(request.pathParam("id")).filter(Ids::isValid).flatMap(store.jobs()::find)
                .filter(job -> job.isBatch() == batch && Caller.of(request).sees(job.project()));
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }

    /** Jobs as OpenAI's clients read them. */
    private static final class JobJson {
        private static final List<String> HYPERPARAMETERS = List.of("batch_size", "learning_rate_multiplier",
                "n_epochs");

        private final String organization;

        JobJson(String organization) {
            this.organization = organization;
        }

        ObjectNode of(Job job) {
            ObjectNode node = Json.object().put("object", "fine_tuning.job").put("id", job.id())
                    .put("model", job.request().get("model").asText()).put("created_at", job.createdAt())
                    .put("finished_at", job.finishedAt().orElse(null))
                    .put("estimated_finish", job.estimatedFinish().orElse(null))
                    .put("fine_tuned_model", job.fineTunedModel().orElse(null))
                    .put("organization_id", "org-" + organization)
                    .put("status", (job.paused() ? JobStatus.QUEUED : job.status()).code()).put("paused", job.paused())
                    .put("training_file", job.trainingFile())
                    .put("validation_file", job.validationFile().orElse(null))
                    .put("trained_tokens", job.trainedTokens().orElse(null)).put("seed", job.seed())
                    .put("user_provided_suffix", job.suffix().orElse(null));
            ArrayNode files = node.putArray("result_files");
            job.resultFiles().forEach(files::add);
            node.set("error", job.error().orElse(null));
            node.set("metadata", job.request().get("metadata"));
            node.set("integrations", job.request().get("integrations"));
            node.set("hyperparameters", chosen(job, HYPERPARAMETERS));
            ObjectNode method = node.putObject("method").put("type", job.method());
            List<String> names = new ArrayList<>(HYPERPARAMETERS);
            Stream.of("beta", "compute_multiplier", "remember").filter(job.hyperparameters()::has).forEach(names::add);
            ObjectNode inner = method.putObject(job.method());
            inner.set("hyperparameters", chosen(job, names));
            Optional.ofNullable(job.request().get("method").path(job.method()).get("grader"))
                    .ifPresent(grader -> inner.set("grader", grader));
            return node;
        }

        private static ObjectNode chosen(Job job, List<String> names) {
            ObjectNode chosen = Json.object();
            names.forEach(name -> chosen.set(name, job.hyperparameters().get(name)));
            return chosen;
        }
    }
}
