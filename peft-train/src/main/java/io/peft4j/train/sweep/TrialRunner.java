package io.peft4j.train.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatDataset.Split;
import io.peft4j.data.SplitOptions;
import io.peft4j.train.Cancellation;
import io.peft4j.train.RunStart;
import io.peft4j.train.SideBySideTrainer;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.runs.RunInfo;
import io.peft4j.train.runs.TrainingRecord;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.DoubleStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Trains trials of a sweep, side by side where they can. */
final class TrialRunner {
    private static final Logger LOG = LoggerFactory.getLogger(Sweep.class);
    private static final int MOST_SIDE_BY_SIDE = 8;
    private static final long PASS_TOKENS = 2048;
    /** Characters of a token, about. */
    private static final int CHARACTERS = 4;
    /** Examples of a batch where rules choose. */
    private static final int USUAL_BATCH = 8;
    private static final double HELD_SHARE = 0.1;
    private static final int CALIBRATION_BATCHES = 32;
    private static final int CALIBRATION_SIZE = 8;

    private final SweepBuilder sweep;
    private final Path output;
    private final TrialSetup setup;
    private Optional<ChatDataset> examples;
    private Optional<ChatDataset> held;

    TrialRunner(SweepBuilder sweep, Path output) {
        this.sweep = sweep;
        this.output = output;
        this.setup = new TrialSetup(sweep.config, sweep.trainer, Optional.empty());
        this.examples = sweep.examples;
        this.held = sweep.held;
        if (examples.isPresent() && held.isEmpty()) {
            Split split = examples.get().split(SplitOptions.ratios(1 - HELD_SHARE, HELD_SHARE).seed(sweep.seed));
            examples = Optional.of(split.train());
            held = Optional.of(split.test());
            LOG.info("{} of {} examples are held back for the loss that trials are compared by", split.test().size(),
                    split.train().size() + split.test().size());
        }
    }

    /** Refuses options that do not exist and values that they do not take, before anything is trained. */
    void check() {
        TrialOptions usual = new TrialOptions(setup);
        sweep.space.domains().keySet().forEach(name -> usual.requireName(name, sweep.setupNames));
        try (PeftModel probe = probe()) {
            sweep.space.domains().forEach((name, domain) -> domain.samples().forEach(value -> {
                Map<String, JsonNode> values = new LinkedHashMap<>(Map.of(name, value));
                TrialOptions options = new TrialOptions(setup(values));
                options.trainer(probe, values).build();
                options.config(values);
            }));
        }
    }

    /** What a trial is trained with, by some of its values, which are taken out. */
    private TrialSetup setup(Map<String, JsonNode> values) {
        Map<String, JsonNode> own = new LinkedHashMap<>(values);
        own.keySet().retainAll(sweep.setupNames);
        values.keySet().removeAll(own.keySet());
        return own.isEmpty() ? setup : sweep.setup.orElseThrow().apply(own);
    }

    /** A model to try options on. */
    private PeftModel probe() {
        return sweep.config.needsCalibration() ? new PeftModel(sweep.base) : PeftModel.of(sweep.base, sweep.config);
    }

    /** What must be the same for a sweep that is resumed, beside the search itself. */
    Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("base", sweep.base.network().description().name());
        settings.put("adapter", sweep.config.toJson().replaceAll("\\s+", " "));
        settings.put("examples", examples.map(set -> String.valueOf(set.size())).orElse("-"));
        settings.put("validation", held.map(set -> String.valueOf(set.size())).orElse("-"));
        try (PeftModel probe = probe()) {
            sweep.trainer.apply(probe).build().settings()
                    .forEach((name, value) -> settings.put("trainer." + name, value));
        }
        return settings;
    }

    /** How many trials are trained at once. */
    int sideBySide() {
        if (sweep.sideBySide > 0) {
            return sweep.sideBySide;
        }
        if (examples.isEmpty()) {
            return 1;
        }
        // Enough for a number of trials; what a trial takes is known when its examples are encoded.
        double tokens = examples.get().stream().mapToInt(example -> example.messages().stream()
                .mapToInt(message -> message.content().length()).sum()).average().orElse(1) / CHARACTERS;
        try (PeftModel probe = probe()) {
            String batch = sweep.trainer.apply(probe).build().settings().get("batch_size");
            double pass = Math.max(1, tokens * (batch.matches("\\d+") ? Integer.parseInt(batch) : USUAL_BATCH));
            return (int) Math.max(1, Math.min(MOST_SIDE_BY_SIDE, PASS_TOKENS / pass));
        }
    }

    /** A trial that is being trained. */
    private static final class RunningTrial {
        private final Trial trial;
        private final TrialSetup setup;
        private final PeftModel model;
        private final Cancellation pause = new Cancellation();
        private TrainerBuilder builder;
        private boolean paused;
        private long steps;

        RunningTrial(Trial trial, TrialSetup setup, PeftModel model) {
            this.trial = trial;
            this.setup = setup;
            this.model = model;
        }
    }

    /**
     * Trains some trials and tells how they stand.
     *
     * @param share the share of its steps up to which each is trained
     */
    void run(List<Trial> trials, double share, Consumer<Trial> ended) {
        List<RunningTrial> begun = new ArrayList<>();
        try {
            for (Trial trial : trials) {
                try {
                    Optional<Trial> known = finished(trial);
                    if (known.isPresent()) {
                        ended.accept(known.get());
                    } else {
                        begun.add(begin(trial, share));
                    }
                } catch (RuntimeException e) {
                    ended.accept(trial.failed(message(e)));
                }
            }
            List<RunningTrial> together = new ArrayList<>();
            List<RunningTrial> alone = new ArrayList<>();
            for (RunningTrial each : begun) {
                boolean shares = examples.isPresent() && each.setup.training().isEmpty()
                        && SideBySideTrainer.obstacle(each.builder.build()).isEmpty()
                        && each.model.network() == sweep.base.network();
                (shares ? together : alone).add(each);
            }
            if (together.size() == 1) {
                alone.addAll(together);
                together.clear();
            }
            if (!together.isEmpty()) {
                trainTogether(together, ended);
            }
            alone.forEach(each -> trainAlone(each, ended));
        } finally {
            Closer.closeAll(begun.stream().map(each -> each.model).toList());
        }
    }

    /** A trial that had been saved when the sweep was killed, before that was written. */
    private Optional<Trial> finished(Trial trial) {
        Path folder = output.resolve(trial.name());
        if (!AdapterCheckpoint.isAdapter(folder)) {
            return Optional.empty();
        }
        TrainingRecord record = TrainingRecord.read(folder);
        OptionalDouble loss = record.info().state() != RunInfo.State.FINISHED ? OptionalDouble.empty()
                : record.info().bestStep().isEmpty() ? record.last("eval_loss")
                        : record.metric("eval_loss").map(series -> DoubleStream.of(series.values()).min())
                                .orElse(OptionalDouble.empty());
        return loss.isEmpty() ? Optional.empty() : Optional.of(trial.after(Trial.State.FINISHED, loss.getAsDouble(),
                record.steps(), record.info().seconds().orElse(0)));
    }

    private RunningTrial begin(Trial trial, double share) {
        Map<String, JsonNode> values = new LinkedHashMap<>(trial.values());
        TrialSetup own = setup(values);
        TrialOptions options = new TrialOptions(own);
        PeftConfig config = options.config(values);
        String base = sweep.base.network().description().name();
        Optional<CalibrationBatches> data = config.needsCalibration() && examples.isPresent()
                ? Optional.of(Trainer.calibration(sweep.base, examples.get(), CALIBRATION_SIZE, CALIBRATION_BATCHES))
                : Optional.empty();
        try (Closer opened = new Closer()) {
            RunningTrial running = new RunningTrial(trial, own, opened.add(PeftModel.of(sweep.base,
                    config.withCommon(config.common().withBaseModel(base)),
                    new SplittableRandom(TrialOptions.seed(trial.values(), sweep.seed)), data)));
            Path folder = output.resolve(trial.name());
            TrainerBuilder builder = options.trainer(running.model, values).seed(TrialOptions.seed(trial.values(),
                    sweep.seed)).logProgress(false).output(folder).start(RunStart.RESUME_OR_START)
                    .cancellation(running.pause);
            held.ifPresent(builder::validation);
            builder.listener(pausing(running, share));
            sweep.listeners.apply(folder).forEach(builder::listener);
            running.builder = builder;
            opened.keep();
            return running;
        }
    }

    /** Stops a trial after its share of the steps, or when the whole sweep is to stop. */
    private TrainingListener pausing(RunningTrial running, double share) {
        return new TrainingListener() {
            private long last;

            @Override
            public boolean failureEndsTraining() {
                return true;
            }

            @Override
            public void onStart(TrainingPlan plan) {
                last = (long) Math.ceil(share * plan.totalSteps());
                running.steps = plan.doneSteps();
                // A trial that has begun makes a step, and leaves a checkpoint that it resumes from.
                if (plan.doneSteps() > 0) {
                    stopWhereDue(plan.doneSteps(), plan.totalSteps());
                }
            }

            @Override
            public void onStep(StepMetrics metrics) {
                running.steps = metrics.step();
                stopWhereDue(metrics.step(), Long.MAX_VALUE);
            }

            private void stopWhereDue(long steps, long total) {
                if (share < 1 && steps >= last && steps < total) {
                    running.paused = true;
                    running.pause.cancel();
                } else if (sweep.cancellation.isRequested()) {
                    running.pause.cancel();
                }
            }
        };
    }

    private void trainTogether(List<RunningTrial> trials, Consumer<Trial> ended) {
        LOG.info("{} trials run side by side", trials.size());
        long begin = System.nanoTime();
        List<SideBySideTrainer.Outcome> outcomes;
        try {
            outcomes = SideBySideTrainer.of(trials.stream().map(each -> each.builder.build()).toList())
                    .train(examples.get());
        } catch (RuntimeException e) {
            // One of them cannot begin, which is reported when it is alone.
            LOG.debug("trials do not run side by side", e);
            trials.forEach(each -> trainAlone(each, ended));
            return;
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        for (int i = 0; i < trials.size(); i++) {
            RunningTrial each = trials.get(i);
            Optional<TrainingResult> result = outcomes.get(i).result();
            ended.accept(result.isPresent() ? after(each, result.get(), seconds)
                    : each.trial.failed(message(outcomes.get(i).failure().orElseThrow())));
        }
    }

    private void trainAlone(RunningTrial each, Consumer<Trial> ended) {
        if (sweep.cancellation.isRequested()) {
            return;
        }
        long begin = System.nanoTime();
        Trial now;
        try {
            TrainingResult result = each.setup.training().or(() -> sweep.training).map(training -> training.apply(
                    each.builder, each.model)).orElseGet(() -> each.builder.build().train(examples.orElseThrow()));
            now = after(each, result, (System.nanoTime() - begin) / 1e9);
        } catch (RuntimeException e) {
            LOG.debug("{} failed", each.trial.name(), e);
            now = each.trial.failed(message(e));
        }
        ended.accept(now);
    }

    private static String message(RuntimeException e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    private Trial after(RunningTrial each, TrainingResult result, double seconds) {
        if (each.paused && result.cancelled()) {
            return each.trial.after(Trial.State.PAUSED, each.builder.build().validationLoss(), each.steps, seconds);
        }
        if (result.cancelled()) {
            return each.trial;
        }
        OptionalDouble loss = result.bestStep().isPresent() ? result.evaluations().stream()
                .mapToDouble(TrainingResult.Evaluation::comparedLoss).min() : result.finalEvalLoss();
        return each.trial.after(Trial.State.FINISHED, loss.orElseThrow(() -> new ConfigurationException("trials are "
                + "compared by their loss on validation data, and there is none; give some")), each.steps, seconds);
    }
}
