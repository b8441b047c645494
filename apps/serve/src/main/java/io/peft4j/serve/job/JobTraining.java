package io.peft4j.serve.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.eval.Promotion;
import io.peft4j.eval.VerdictOptions;
import io.peft4j.eval.comparison.OwnRows;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.model.ServedModel;
import io.peft4j.serve.model.ServedModels;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobEvent;
import io.peft4j.serve.store.JobQueue;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoredFile;
import io.peft4j.serve.store.StoredModel;
import io.peft4j.trackers.TrackingListener;
import io.peft4j.trackers.WandbTracker;
import io.peft4j.train.RunStart;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.objective.DpoOptions;
import io.peft4j.train.objective.Reference;
import io.peft4j.train.runs.RunInfo;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Trains a job, from its beginning or from where it was interrupted, and leaves its model, figures and reports. Losses
 * and adapter are those of a training that was never interrupted.
 */
final class JobTraining {
    /** An adapter with its optimizer takes 12 bytes a parameter; writing them is to be a small part of the time. */
    private static final long PARAMETERS_A_STEP = 200_000;
    private static final int FEWEST_STEPS = 5;
    private static final int MOST_STEPS = 50;
    private static final int NAME_LETTERS = 8;

    private final Store store;
    private final ServedModels models;
    private final VerdictOptions verdict;
    private final String organization;
    private final Clock clock;

    JobTraining(Store store, ServedModels models, VerdictOptions verdict, String organization, Clock clock) {
        this.store = store;
        this.models = models;
        this.verdict = verdict;
        this.organization = organization;
        this.clock = clock;
    }

    /**
     * Trains until the end, or until it is stopped.
     *
     * @throws io.peft4j.core.error.PeftException when the job cannot be done
     */
    void run(RunningJob running) {
        Job job = running.job();
        JobFiles files = new JobFiles(store, job);
        files.takeData().ifPresent(param -> {
            throw JobFault.of(param, "the file of " + param + " was deleted");
        });
        files.prepareRun(() -> running.requireHeld(store.queue()));
        JobPlan plan = JobPlan.of(job);
        JobData training = JobData.read(files.training(), "training_file", job);
        Optional<JobData> heldOut = files.validation().map(path -> JobData.read(path, "validation_file", job));
        try (PeftModel model = adapter(job, plan)) {
            Promotion round = Promotion.of(models.base(), model).always().prompting(training.chats())
                    .comparison(comparison -> {
                        verdict.applyTo(comparison);
                        comparison.trainingData(training.chats());
                        RunInfo.read(files.run()).learned().ifPresent(rows -> comparison.trainingEnd(new OwnRows.Ending(
                                rows.rows(), rows.rows() - rows.learned(), rows.reason().words())));
                    });
            // Prompts have no right answers to compare with; the reward on them is measured after each epoch.
            heldOut.filter(data -> data.prompts().isEmpty())
                    .ifPresent(data -> round.heldOut(verdict.questions(data.chats())));
            round.run(() -> train(running, plan, files, model, training, heldOut),
                    decided -> finish(running, files, decided));
        }
    }

    /** Trains; gives whether there is a model to compare now. */
    private boolean train(RunningJob running, JobPlan plan, JobFiles files, PeftModel model, JobData training,
            Optional<JobData> heldOut) {
        JobQueue queue = store.queue();
        Job job = running.job();
        JobProgress progress = new JobProgress(store, running, files, model, nameOf(job), clock);
        TrainerBuilder trainer = trainer(running, plan, files, model).listener(progress);
        try {
            if (train(trainer, job, model, plan, training, heldOut).cancelled() || running.stopped().isPresent()) {
                return false;
            }
        } finally {
            progress.flush();
        }
        if (verdict.items() > 0) {
            queue.tell(running.claim(), List.of(JobEvent.info("evaluating",
                    "Training completed, evaluating the new model")), now());
        }
        return true;
    }

    private TrainingResult train(TrainerBuilder trainer, Job job, PeftModel model, JobPlan plan, JobData training,
            Optional<JobData> heldOut) {
        if (!training.prompts().isEmpty()) {
            return trainer.build().train(JobPlan.reinforcement(job, model, graderTools(job)), training.prompts(),
                    heldOut.map(JobData::prompts).orElse(List.of()));
        }
        if (!training.preferences().isEmpty()) {
            DpoOptions options = DpoOptions.defaults().withBeta(plan.beta()).withReference(Reference.START);
            return trainer.build().train(new DpoObjective(model, options), training.preferences(),
                    heldOut.map(JobData::preferences).orElse(List.of()));
        }
        heldOut.ifPresent(data -> trainer.validation(data.chats()));
        return trainer.build().train(JobPlan.learned(job, training.chats()));
    }

    /** The grader of a job asks the models that its project sees. */
    private GraderTools graderTools(Job job) {
        return models.graderTools(new Caller(job.owner(), job.owner(), Optional.of(job.project()), Optional.empty(),
                Optional.empty(), count -> {
                }));
    }

    private PeftModel adapter(Job job, JobPlan plan) {
        String name = job.request().get("model").asText();
        ServedModel start = models.find(name).orElseThrow(() -> new JobFault("model_not_found", Optional.of("model"),
                "the model '" + name + "' was deleted"));
        if (start.folder().isPresent()) {
            return models.open(start.folder().get(), models.base()::withAdapter);
        }
        return PeftModel.of(models.base(), Tuning.adapter(plan.rank()), new SplittableRandom(job.seed()));
    }

    private TrainerBuilder trainer(RunningJob running, JobPlan plan, JobFiles files, PeftModel model) {
        long steps = model.trainableParameterCount() / PARAMETERS_A_STEP;
        TrainerBuilder trainer = Trainer.builder(model).options(plan.training()).output(files.run())
                .start(RunStart.RESUME_OR_START).cancellation(running.cancellation())
                .checkpointEverySteps((int) Math.max(FEWEST_STEPS, Math.min(MOST_STEPS, steps)));
        integrations(running.job(), files).ifPresent(listener -> {
            trainer.listener(listener);
            store.queue().tell(running.claim(), List.of(JobEvent.info("wandb", "The run for Weights & Biases is in the "
                    + "server's data folder, and not sent: wandb sync " + files.relative(files.file("wandb")) + "/*")),
                    now());
        });
        return trainer;
    }

    /** Runs of Weights and Biases that can be uploaded later; nothing is sent from here. */
    private static Optional<TrackingListener> integrations(Job job, JobFiles files) {
        List<WandbTracker> trackers = new ArrayList<>();
        for (JsonNode integration : job.request().path("integrations")) {
            JsonNode wandb = integration.get("wandb");
            Map<String, String> settings = new LinkedHashMap<>();
            settings.put("WANDB_PROJECT", wandb.get("project").asText());
            settings.put("WANDB_RUN_ID", letters(job).toLowerCase(Locale.ROOT) + trackers.size());
            settings.put("WANDB_NAME", wandb.path("name").isTextual() ? wandb.get("name").asText() : job.id());
            if (wandb.path("entity").isTextual()) {
                settings.put("WANDB_ENTITY", wandb.get("entity").asText());
            }
            List<String> tags = new ArrayList<>();
            wandb.path("tags").forEach(tag -> tags.add(tag.asText()));
            settings.put("WANDB_TAGS", String.join(",", tags));
            trackers.add(new WandbTracker(files.file(""), settings));
        }
        return trackers.isEmpty() ? Optional.empty()
                : Optional.of(new TrackingListener(job.id(), List.copyOf(trackers)).withOutput(files.run()));
    }

    /** {@code ft:BASE:ORGANIZATION:SUFFIX:LETTERS}, the same for a job whenever it is asked. */
    private String nameOf(Job job) {
        String suffix = job.suffix().orElse("").replaceAll("[^A-Za-z0-9._-]+", "-");
        return "ft:" + job.base() + ":" + organization + ":" + suffix + ":" + letters(job);
    }

    private static String letters(Job job) {
        return job.id().substring(job.id().length() - NAME_LETTERS);
    }

    /** Makes the model one that answers, unless the job was stopped meanwhile. */
    private boolean finish(RunningJob running, JobFiles files, Promotion.Result decided) {
        if (running.stopped().isPresent()) {
            return false;
        }
        Job job = running.job();
        long now = now();
        String name = nameOf(job);
        JobResults results = new JobResults(store, job, files);
        List<JobEvent> events = new ArrayList<>();
        if (verdict.items() > 0) {
            events.add(results.verdict(decided));
        }
        List<StoredFile> left = results.write(now);
        events.add(JobEvent.info("created-model", "New fine-tuned model created: " + name));
        events.add(JobEvent.info("succeeded", "The job has successfully completed"));
        StoredModel made = new StoredModel(name, job.base(), job.owner(), job.project(), job.id(),
                files.relative(files.run()), false,
                now);
        if (store.queue().succeed(running.claim(),
                new JobQueue.Outcome(Optional.of(made), results.trainedTokens(), left, events),
                now)) {
            files.tidyRun();
        }
        return true;
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }
}
