package io.peft4j.serve.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.job.RunningJob.Stop;
import io.peft4j.serve.store.Disk;
import io.peft4j.serve.store.Ids;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobCheckpoint;
import io.peft4j.serve.store.JobEvent;
import io.peft4j.serve.store.JobQueue;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoredModel;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingGuards;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.NextTokenObjective;
import io.peft4j.train.objective.SampledAnswer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Tells of a training: an event for each step, and after each epoch a checkpoint that answers as a model. A step at the
 * end of an epoch is reported when the loss on the validation data is known, too. Steps that were told before the job
 * was interrupted are not told again: they have the same figures.
 */
final class JobProgress implements TrainingListener {
    /** What a line of the trainer's metrics has beside what the objective measures. */
    private static final Set<String> FIGURES = Set.of("step", "epoch", "train_loss", "learning_rate", "grad_norm",
            "tokens", "supervised_tokens", "tokens_per_s");
    private static final String EVALUATED = "eval_";
    /** Measures that have names of OpenAI's, which stand behind {@code train_} and {@code valid_}. */
    private static final Map<String, String> NAMES = Map.of(NextTokenObjective.TOKEN_ACCURACY, "mean_token_accuracy",
            "reward", "mean_reward");

    /** Steps between two of which answers are told. */
    private static final int ANSWERS_EVERY = 10;
    private static final int MOST_LETTERS = 1000;

    private final JobQueue queue;
    private final Disk disk;
    private final RunningJob running;
    private final JobFiles files;
    private final PeftModel model;
    private final String modelName;
    private final Clock clock;
    private final TrainingGuards guards = new TrainingGuards(text -> tell(JobEvent.warn("guard-" + Ids.letters(6),
            text)));
    private TrainingPlan plan;
    private Optional<StepMetrics> pending = Optional.empty();

    JobProgress(Store store, RunningJob running, JobFiles files, PeftModel model, String modelName, Clock clock) {
        this.queue = store.queue();
        this.disk = store.disk();
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
        if (!queue.tell(running.claim(), List.of(event), now())) {
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
            tellMissing();
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
        guards.onStep(metrics);
        disk.requireRoom(0);
        if (endsEpoch(metrics.step()) && job().validationFile().isPresent()) {
            pending = Optional.of(metrics);
        } else {
            tell(metrics, Json.object());
        }
    }

    @Override
    public void onEvaluation(TrainingResult.Evaluation evaluation) {
        long step = evaluation.step();
        ObjectNode figures = validation(evaluation.loss(), evaluation.measures()::get);
        if (pending.filter(metrics -> metrics.step() == step).isPresent()) {
            StepMetrics metrics = pending.get();
            pending = Optional.empty();
            tell(metrics, figures);
        } else {
            tell(new JobEvent("validation-" + step, "info", "message", String.format(Locale.ROOT,
                    "Validation loss after step %d: %.4f", step, evaluation.loss()), figures.put("step", step)));
        }
    }

    /** Now and then some of the model's own answers, of which it learns. */
    @Override
    public void onAnswers(long step, List<SampledAnswer> answers) {
        if (step != 1 && step % ANSWERS_EVERY != 0 && !endsEpoch(step)) {
            return;
        }
        ObjectNode data = Json.object().put("step", step);
        ArrayNode all = data.putArray("answers");
        for (SampledAnswer answer : answers) {
            ObjectNode one = all.addObject().put("prompt", shown(answer.prompt())).put("answer",
                    shown(answer.answer()));
            if (Double.isFinite(answer.reward())) {
                one.put("reward", answer.reward());
            }
            answer.parts().forEach(one.putObject("parts")::put);
        }
        tell(new JobEvent("answers-" + step, "info", "message", "Answers in step " + step + " were graded", data));
    }

    private static String shown(String text) {
        return text.codePointCount(0, text.length()) <= MOST_LETTERS ? text
                : text.substring(0, text.offsetByCodePoints(0, MOST_LETTERS)) + " ...";
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

    /**
     * Tells the steps up to here that were trained and not told: a server may end, or lose a job, between the two. What
     * was told stays as it is.
     */
    private void tellMissing() {
        Map<Long, StepMetrics> steps = new TreeMap<>();
        Map<Long, ObjectNode> validations = new TreeMap<>();
        for (JsonNode line : files.metrics()) {
            if (line.has("train_loss")) {
                steps.put(line.get("step").asLong(), metrics(line));
            } else {
                validations.put(line.get("step").asLong(), validation(line.get("eval_loss").asDouble(),
                        name -> line.has(EVALUATED + name) ? line.get(EVALUATED + name).asDouble() : null));
            }
        }
        List<JobEvent> events = steps.values().stream().map(metrics -> event(metrics, figures(metrics,
                validations.getOrDefault(metrics.step(), Json.object())))).toList();
        if (!queue.tell(running.claim(), events, now())) {
            running.stop(Stop.LOST);
        }
        steps.values().stream().filter(metrics -> endsEpoch(metrics.step()) && (metrics.step() == plan.doneSteps()
                || Files.exists(files.checkpoint(metrics.step())))).forEach(metrics -> checkpoint(metrics.step(),
                        figures(metrics, validations.getOrDefault(metrics.step(), Json.object()))));
    }

    private static StepMetrics metrics(JsonNode line) {
        Map<String, Double> measures = new TreeMap<>();
        line.fields().forEachRemaining(field -> {
            if (!FIGURES.contains(field.getKey())) {
                measures.put(field.getKey(), field.getValue().asDouble());
            }
        });
        return new StepMetrics(line.get("step").asLong(), line.get("epoch").asDouble(),
                line.get("train_loss").asDouble(), line.get("learning_rate").asDouble(),
                line.get("grad_norm").asDouble(), line.get("tokens").asLong(), line.get("supervised_tokens").asLong(),
                0, 0, measures);
    }

    private static ObjectNode validation(double loss, Function<String, @Nullable Double> measures) {
        ObjectNode figures = Json.object().put("valid_loss", loss).put("full_valid_loss", loss);
        NAMES.forEach((measure, name) -> Optional.ofNullable(measures.apply(measure)).ifPresent(value -> figures
                .put("valid_" + name, value).put("full_valid_" + name, value)));
        return figures;
    }

    /** What a checkpoint says of its step. */
    private static ObjectNode figures(StepMetrics metrics, ObjectNode validation) {
        ObjectNode figures = Json.object().put("step", metrics.step()).put("train_loss", metrics.trainLoss());
        NAMES.forEach((measure, name) -> Optional.ofNullable(metrics.measures().get(measure))
                .ifPresent(value -> figures.put("train_" + name, value)));
        figures.setAll(validation);
        return figures;
    }

    private JobEvent event(StepMetrics metrics, ObjectNode figures) {
        long total = metrics.mostSteps() > 0 ? metrics.mostSteps() : plan.totalSteps();
        ObjectNode all = figures.deepCopy().put("total_steps", total).put("epoch", metrics.epoch())
                .put("learning_rate", metrics.learningRate()).put("grad_norm", metrics.gradNorm())
                .put("tokens", metrics.tokens());
        new TreeMap<>(metrics.measures()).forEach((name, value) -> {
            if (!NAMES.containsKey(name)) {
                all.put(name, value);
            }
        });
        String message = String.format(Locale.ROOT, "Step %d/%d: training loss=%.4f", metrics.step(),
                total, metrics.trainLoss())
                + (figures.has("valid_loss") ? String.format(Locale.ROOT, ", validation loss=%.4f",
                        figures.get("valid_loss").asDouble()) : "");
        return JobEvent.metrics("step-" + metrics.step(), message, all);
    }

    /** @param validation what was measured on the validation data, if anything */
    private void tell(StepMetrics metrics, ObjectNode validation) {
        ObjectNode figures = figures(metrics, validation);
        long finish = now() + Math.round(Math.ceil(metrics.secondsLeft()));
        if (!queue.progress(running.claim(), event(metrics, figures), finish, now())) {
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
        StoredModel kept = new StoredModel(name, job().base(), job().owner(), job().project(), job().id(),
                files.relative(folder), true,
                now());
        if (!queue.addCheckpoint(running.claim(), checkpoint, kept, JobEvent.info("checkpoint-" + step,
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
                AtomicFiles.delete(half);
            }
            Files.createDirectories(half);
            model.saveAdapter(half);
            AtomicFiles.moveFolder(half, folder);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep the checkpoint " + folder, e);
        }
    }
}
