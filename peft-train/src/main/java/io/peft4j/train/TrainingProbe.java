package io.peft4j.train;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.EncodedExamples;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.Passes;
import io.peft4j.train.parallel.WorkerCollective;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Runs the first updates of a training, then its longest batch, at a learning rate of 0: as much memory and time as the
 * training takes, and nothing of the model changes. Where layers below the adapter are computed once for all epochs
 * ({@link FrozenStates}), some batches run twice, since the first epoch takes longer than the others.
 */
final class TrainingProbe {
    /** Shares of the time: first updates, longest batch, later epochs. */
    private static final double FIRST = 0.6;
    private static final double LONGEST = 0.15;
    /** Fewer operations than these take no time worth saving, 6 an update, token and parameter. */
    private static final double CHEAP = 1e11;
    private static final int FEWEST = 4;
    /** Updates of a first run whose objective computes something of their examples before. */
    private static final int FEW = 8;
    private static final int TIMED_BATCHES = 3;
    /** Passes of an update, where it has more: what the rest of an update takes is known from fewer passes, too. */
    private static final int FEW_PASSES = 3;
    /** Updates that take no time by their operations, but by the JVM's start, are followed so many times as long. */
    private static final double LONGER = 2;
    /** A training that ends when it has learned seldom takes less than this of the most that it may take. */
    private static final double SELDOM_FEWER = 0.2;
    private static final long MOST_SEARCHED = 20_000;
    /** A batch that is longer by less needs no run of its own. */
    private static final double ABOUT_AS_LONG = 1.02;

    private final TrainingTask task;
    private final PeftModel model;
    private final Objective<?> objective;
    private final TrainingOptions options;
    private final EncodedExamples examples;

    /** @param task with complete options */
    public TrainingProbe(TrainingTask task) {
        this.task = task;
        this.model = task.model();
        this.objective = task.objective();
        this.options = task.options();
        this.examples = task.training();
    }

    /** Finds out, in about this time. */
    public TrainingEstimate run(Duration time) {
        long updates = new UpdateSampler(examples, options).totalSteps();
        return keepingValues(updates, () -> inFolder(folder -> run(folder, time.toNanos() / 1e9)));
    }

    private TrainingEstimate run(Path folder, double limit) {
        long begin = System.nanoTime();
        UpdateSampler sampler = new UpdateSampler(examples, options);
        long tokens = sampler.tokens(0, sampler.totalSteps());
        Timing first = first(folder, sampler, limit * FIRST);
        List<EncodedExample> longest = longest(sampler, Math.min(sampler.totalSteps(), MOST_SEARCHED));
        long seen = first.passes() / options.gradientAccumulation().getAsInt();
        if (tokens(longest) > ABOUT_AS_LONG * tokens(longest(sampler, seen))) {
            timed(only(longest.size()), set(longest), LONGEST * limit, 2, List.of());
        }
        double seconds = first.keptBytes() > 0 && sampler.totalSteps() > sampler.stepsPerEpoch()
                ? withFrozenStates(first, tokens, limit) : first.ahead(tokens);
        List<List<EncodedExample>> some = new ArrayList<>();
        for (int i = 0; i < TIMED_BATCHES; i++) {
            some.add(sampler.batches(i % sampler.stepsPerEpoch()).get(0));
        }
        double done = shareInBudget(seconds);
        seconds = done * seconds + references(some) + evaluations(sampler);
        model.saveAdapter(folder);
        OptionalLong peak = ProcessUsage.peakResidentBytes();
        long more = Math.max(0, first.plannedBytes() - first.keptBytes())
                + TrainingEstimate.laterBytes(seconds, sampler.totalSteps());
        return new TrainingEstimate(task.parameters().stream()
                .mapToLong(Parameter::length).sum(), adapterBytes(folder), Math.round(done * tokens),
                Math.round(done * sampler.totalSteps()), seconds,
                peak.isEmpty() ? peak : OptionalLong.of(peak.getAsLong() + more),
                (System.nanoTime() - begin) / 1e9, 0, task.chosen(), options.learnedShare().orElse(0) > 0
                        ? Math.round(done * Math.max(sampler.stepsPerEpoch(), SELDOM_FEWER * sampler.totalSteps()))
                        : Math.round(done * sampler.totalSteps()));
    }

    /** How far the training comes. */
    private double shareInBudget(double seconds) {
        return options.timeBudget().map(budget -> Math.min(1, budget.toNanos() / 1e9 / seconds)).orElse(1.0);
    }

    /** The first updates as they will be, with everything that is written meanwhile. */
    private Timing first(Path folder, UpdateSampler sampler, double limit) {
        TrainingOptions once = areSmall(sampler) || options.gradientAccumulation().getAsInt() <= FEW_PASSES
                ? options
                : changed(options.batchSize().getAsInt(), FEW_PASSES, options.epochs().getAsInt(), options.shuffle(),
                        options.packing(),
                        options.packTokens());
        try (MetricsFile metrics = MetricsFile.open(folder, 0)) {
            return timed(once, examples, limit, FEWEST, List.of(metrics, new PageWriter(folder)));
        }
    }

    private boolean areSmall(UpdateSampler sampler) {
        return 6.0 * model.network().description().parameters() * tokens(sampler.batches(0).stream()
                .flatMap(List::stream).toList()) < CHEAP;
    }

    /** What the layers below the adapter cost once, and what each epoch costs. */
    private double withFrozenStates(Timing first, long tokens, double limit) {
        UpdateSampler sampler = new UpdateSampler(examples, options);
        List<EncodedExample> some = new ArrayList<>();
        for (int i = 0; i < Math.min(2, sampler.stepsPerEpoch()); i++) {
            some.addAll(sampler.batches(i).get(0));
        }
        int repeats = 3;
        Timing again = timed(
                changed(options.batchSize().getAsInt(), 1, repeats, false, PackOptions.Strategy.IN_ORDER, 0),
                set(some), (1 - FIRST - LONGEST) * limit, 2 * repeats, List.of());
        double later = again.steadySecondsPerToken();
        double once = Math.max(0, first.seconds() - later * first.tokens());
        double share = Math.max(1, (double) first.plannedBytes() / first.keptBytes());
        return later * tokens + once * share;
    }

    private TrainingOptions only(int batchSize) {
        return changed(batchSize, 1, Math.min(2, options.epochs().getAsInt()), false, PackOptions.Strategy.IN_ORDER, 0);
    }

    private TrainingOptions changed(int batchSize, int accumulation, int epochs, boolean shuffle,
            PackOptions.Strategy packing, int packTokens) {
        return options.toBuilder().batchSize(batchSize).gradientAccumulation(accumulation).epochs(epochs)
                .shuffle(shuffle).packing(packing).packTokens(packTokens).build();
    }

    /** Without a warm-up, which changes nothing at a rate of 0, and which so few updates would not end. */
    private TrainingOptions cold(TrainingOptions how) {
        long most = objective.referenceValues() > 0 ? FEW : how == options ? options.maxSteps() : 0;
        return how.toBuilder().warmupSteps(0).maxSteps(most).earlyStopping(0, 0).keepBest(false).learnedShare(0)
                .timeBudget(Duration.ofDays(1))
                .updateRule(new Still(options.updateRule())).build();
    }

    private Timing timed(TrainingOptions how, EncodedExamples set, double limit, int least,
            List<TrainingListener> listeners) {
        Timing timing = new Timing((double) options.gradientAccumulation().getAsInt()
                / how.gradientAccumulation().getAsInt());
        try (TrainingRun run = TrainingRun.open(task.with(cold(how), set), Optional.empty(), WorkerCollective.one(),
                new Profiler(false), new Cancellation(), listeners)) {
            run.start();
            boolean small = set == examples && areSmall(new UpdateSampler(examples, options));
            long begin = System.nanoTime();
            long last = begin;
            while (!run.isOver()) {
                BatchLosses update = run.advance();
                long now = System.nanoTime();
                timing.add(update.batches().stream().map(TrainingProbe::tokens).toList(), update.passSeconds(),
                        (now - last) / 1e9);
                last = now;
                double spent = (now - begin) / 1e9;
                if (timing.updates() >= least && spent > limit
                        && (!small || timing.isSteady() || spent > LONGER * limit)) {
                    run.cancel();
                }
            }
            run.save(run.end());
            timing.keep(run.states());
            return timing;
        }
    }

    /** The batch with the most tokens of the first updates. */
    private static List<EncodedExample> longest(UpdateSampler sampler, long updates) {
        List<EncodedExample> longest = List.of();
        for (long step = 0; step < updates; step++) {
            List<EncodedExample> most = sampler.batches(step).stream()
                    .max(Comparator.comparingLong(TrainingProbe::tokens)).orElseThrow();
            longest = tokens(most) > tokens(longest) ? most : longest;
        }
        return longest;
    }

    private static long tokens(List<EncodedExample> batch) {
        return batch.stream().mapToLong(EncodedExample::tokens).sum();
    }

    /** The time of all measurements on the validation data. */
    private double evaluations(UpdateSampler sampler) {
        if (task.validation().isEmpty()) {
            return 0;
        }
        List<List<EncodedExample>> held = BatchLosses.batches(task.validation().get().examples(),
                options.batchSize().getAsInt());
        List<List<EncodedExample>> batches = new ArrayList<>();
        for (int i = 0; i < TIMED_BATCHES; i++) {
            batches.add(held.get(i < held.size() ? i : 0));
        }
        long every = options.evaluateEverySteps() > 0 ? options.evaluateEverySteps() : sampler.stepsPerEpoch();
        long times = 1 + (sampler.totalSteps() + every - 1) / every;
        return task.validation().get().tokens() * times * secondsPerToken(batches, objective::loss);
    }

    /** The time of what an objective computes once of each example before the first update, if it does. */
    private double references(List<List<EncodedExample>> batches) {
        return objective.referenceValues() == 0 ? 0
                : examples.tokens() * secondsPerToken(batches, objective::reference);
    }

    /** What runs without gradients, in batches of which the first is not counted. */
    private double secondsPerToken(List<List<EncodedExample>> batches,
            BiConsumer<Passes, List<EncodedExample>> work) {
        double seconds = 0;
        long measured = 0;
        try (TrainingPasses passes = new TrainingPasses(model, options, FrozenStates.none())) {
            Passes each = passes.ofBatch(0, new Measures(), new RowVisits(false, List.of()));
            for (int i = 0; i < batches.size(); i++) {
                List<EncodedExample> batch = complete(batches.get(i));
                long begin = System.nanoTime();
                work.accept(each, batch);
                if (i > 0) {
                    seconds += (System.nanoTime() - begin) / 1e9;
                    measured += tokens(batches.get(i));
                }
            }
        }
        return seconds / measured;
    }

    /** With as many reference values as there will be. */
    private List<EncodedExample> complete(List<EncodedExample> batch) {
        return batch.stream().map(example -> example.withMoreTargets(new float[objective.referenceValues(example)]))
                .toList();
    }

    private EncodedExamples set(List<EncodedExample> some) {
        return new EncodedExamples(some, 0);
    }

    private static long adapterBytes(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            long bytes = 0;
            for (Path file : (Iterable<Path>) files.filter(f -> f.toString().endsWith(".safetensors"))::iterator) {
                bytes += Files.size(file);
            }
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read what was written for an estimate into " + folder, e);
        }
    }

    private <T> T keepingValues(long updates, Supplier<T> probe) {
        boolean changes = false;
        for (String name : model.activeAdapters()) {
            try (TrainingHook hook = model.adapter(name).training(updates)) {
                changes |= hook != TrainingHook.NONE;
            }
        }
        if (!changes) {
            return probe.get();
        }
        // Such a method may change more than the optimizer does.
        try (BestValues values = new BestValues(model.trainableParameters())) {
            values.keep();
            try {
                return probe.get();
            } finally {
                values.restore();
            }
        }
    }

    private static <T> T inFolder(Function<Path, T> work) {
        try {
            Path folder = Files.createTempDirectory("peft4j-estimate");
            try {
                return work.apply(folder);
            } finally {
                AtomicFiles.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write a temporary folder for an estimate", e);
        }
    }

    /** An update rule at which the optimizer does its work and nothing moves. */
    private record Still(UpdateRule rule) implements UpdateRule {
        @Override
        public boolean trains(Parameter parameter) {
            return rule.trains(parameter);
        }

        @Override
        public double rateFactor(Parameter parameter) {
            return 0;
        }

        @Override
        public void beforeUpdate() {
            rule.beforeUpdate();
        }
    }
}
