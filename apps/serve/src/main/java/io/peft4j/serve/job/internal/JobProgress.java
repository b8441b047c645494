package io.peft4j.serve.job.internal;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.job.internal.RunningJob.Stop;
import io.peft4j.serve.store.internal.Ids;
import io.peft4j.serve.store.internal.Job;
import io.peft4j.serve.store.internal.JobCheckpoint;
import io.peft4j.serve.store.internal.JobEvent;
import io.peft4j.serve.store.internal.JobQueue;
import io.peft4j.serve.store.internal.StoredModel;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.NextTokenObjective;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Tells of a training: an event for each step, and after each epoch a checkpoint that answers as a model. A step at the
 * end of an epoch is told when the loss on the validation data is known, too. Steps that were told before the job was
 * interrupted are not told again: they have the same figures.
 */
final class JobProgress implements TrainingListener {
    private final JobQueue queue;
    private final RunningJob running;
    private final JobFiles files;
    private final PeftModel model;
    private final String modelName;
    private final Clock clock;
    private TrainingPlan plan;
    private Optional<StepMetrics> pending = Optional.empty();

    JobProgress(JobQueue queue, RunningJob running, JobFiles files, PeftModel model, String modelName, Clock clock) {
        this.queue = queue;
        this.running = running;
        this.files = files;
        this.model = model;
        this.modelName = modelName;
        this.clock = clock;
    }

    private Job job() {
        return running.job();
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }

    private void tell(JobEvent event) {
        if (!queue.tell(job().id(), event, now())) {
            running.stop(Stop.LOST);
        }
    }

    /** A job whose figures and checkpoints are not kept is not worth going on with. */
    @Override
    public boolean failureEndsTraining() {
        return true;
    }

    @Override
    public void onStart(TrainingPlan begun) {
        plan = begun;
        if (begun.doneSteps() > 0) {
            tell(JobEvent.info("continued-" + begun.doneSteps() + "-" + Ids.letters(6),
                    "Fine-tuning job resumed after step " + begun.doneSteps() + "/" + begun.totalSteps()));
        } else {
            tell(new JobEvent("started", "info", "message", "Fine-tuning job started", Json.object()
                    .put("total_steps", begun.totalSteps()).put("steps_per_epoch", begun.stepsPerEpoch())
                    .put("trained_examples", begun.examples()).put("left_out", begun.leftOut())
                    .put("trainable_parameters", begun.trainableParameters())));
        }
    }

    @Override
    public void onStep(StepMetrics metrics) {
        flush();
        if (endsEpoch(metrics.step()) && job().validationFile().isPresent()) {
            pending = Optional.of(metrics);
        } else {
            tell(metrics, Json.object());
        }
    }

    @Override
    public void onEvaluation(TrainingResult.Evaluation evaluation) {
        long step = evaluation.step();
        double evalLoss = evaluation.loss();
        ObjectNode figures = Json.object().put("valid_loss", evalLoss).put("full_valid_loss", evalLoss);
        if (evaluation.measures().containsKey(NextTokenObjective.TOKEN_ACCURACY)) {
            double accuracy = evaluation.measures().get(NextTokenObjective.TOKEN_ACCURACY);
            figures.put("valid_mean_token_accuracy", accuracy).put("full_valid_mean_token_accuracy", accuracy);
        }
        if (pending.filter(metrics -> metrics.step() == step).isPresent()) {
            StepMetrics metrics = pending.get();
            pending = Optional.empty();
            tell(metrics, figures);
        } else {
            tell(new JobEvent("validation-" + step, "info", "message", String.format(Locale.ROOT,
                    "Validation loss after step %d: %.4f", step, evalLoss), figures.put("step", step)));
        }
    }

    /** What waits for a validation loss that does not come, since the training was stopped. */
    void flush() {
        Optional<StepMetrics> waiting = pending;
        pending = Optional.empty();
        waiting.ifPresent(metrics -> tell(metrics, Json.object()));
    }

    private boolean endsEpoch(long step) {
        return step % plan.stepsPerEpoch() == 0;
    }

    /** @param validation what was measured on the validation data, if anything */
    private void tell(StepMetrics metrics, ObjectNode validation) {
        ObjectNode figures = Json.object().put("step", metrics.step()).put("train_loss", metrics.trainLoss());
        Map<String, Double> measures = new TreeMap<>(metrics.measures());
        Optional.ofNullable(measures.remove(NextTokenObjective.TOKEN_ACCURACY))
                .ifPresent(accuracy -> figures.put("train_mean_token_accuracy", accuracy));
        figures.setAll(validation);
        ObjectNode all = figures.deepCopy().put("total_steps", plan.totalSteps()).put("epoch", metrics.epoch())
                .put("learning_rate", metrics.learningRate()).put("grad_norm", metrics.gradNorm())
                .put("tokens", metrics.tokens());
        measures.forEach(all::put);
        String message = String.format(Locale.ROOT, "Step %d/%d: training loss=%.4f", metrics.step(),
                plan.totalSteps(), metrics.trainLoss())
                + (validation.isEmpty() ? "" : String.format(Locale.ROOT, ", validation loss=%.4f",
                        validation.get("valid_loss").asDouble()));
        long finish = now() + Math.round(Math.ceil(metrics.secondsLeft()));
        if (!queue.progress(job().id(), JobEvent.metrics("step-" + metrics.step(), message, all), finish, now())) {
            running.stop(Stop.LOST);
        } else if (endsEpoch(metrics.step())) {
            checkpoint(metrics.step(), figures);
        }
    }

    private void checkpoint(long step, ObjectNode figures) {
        Path folder = files.checkpoint(step);
        save(folder);
        String name = modelName + ":ckpt-step-" + step;
        JobCheckpoint checkpoint = new JobCheckpoint(Ids.next("ftckpt_"), job().id(), step, name, now(), figures);
        StoredModel kept = new StoredModel(name, job().base(), job().owner(), job().id(), files.relative(folder), true,
                now());
        if (!queue.addCheckpoint(checkpoint, kept, JobEvent.info("checkpoint-" + step,
                "Checkpoint created at step " + step))) {
            running.stop(Stop.LOST);
        }
    }

    /** The folder is there as a whole or not at all. */
    private void save(Path folder) {
        if (Files.exists(folder)) {
            return;
        }
        Path half = folder.resolveSibling("." + folder.getFileName() + ".tmp");
        try {
            if (Files.exists(half)) {
                JobFiles.delete(half);
            }
            Files.createDirectories(half);
            model.saveAdapter(half);
            Files.move(half, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep the checkpoint " + folder, e);
        }
    }
}
