package io.peft4j.train;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.Closer;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.train.Profiler.Section;
import io.peft4j.train.TrainingResult.Ending;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.optimizer.Updates;
import io.peft4j.train.parallel.WorkerCollective;
import io.peft4j.train.runs.RunInfo.LearnedRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One training from its preparation to the saved adapter: the loop, and what it has seen so far. A caller may compute
 * the updates itself ({@link #start}, {@link #advance}, {@link #end}, {@link #save}).
 */
final class TrainingRun implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingRun.class);
    private static final Logger OF_TRAINER = LoggerFactory.getLogger(Trainer.class);

    private final TrainingTask task;
    private final TrainingOptions options;
    private final Optional<RunFolder> folder;
    private final Cancellation cancellation;
    private final WorkerCollective workers;
    private final Profiler profiler;
    private final SharedWork work;
    private final List<Parameter> parameters;
    private final UpdateSampler sampler;
    private final Validation validation;
    private final ReferenceValues references;
    private final TrainingPlan plan;
    private final RemainingTime pace;
    private final RowVisits rows;
    private final Course course;
    private final TrainingPasses passes;
    private final Updates optimizer;
    private final LowerLayers lower;
    private final Map<String, TrainingHook> hooks = new LinkedHashMap<>();
    private final RunCheckpoint checkpoint;
    private final List<StepMetrics> steps = new ArrayList<>();
    private final RewardWatch rewards = new RewardWatch();
    private boolean collapsed;
    private final List<TrainingListener> listeners;
    /** These and those who write. */
    private TrainingListener told = new Listeners(List.of(), OF_TRAINER::warn);
    private Optional<Ending> ending = Optional.empty();
    private TrainingEvents.Step event = new TrainingEvents.Step();
    private long begin;
    private Closer owned = new Closer();

    /** @param opened gets what is opened here */
    private TrainingRun(TrainingTask task, Closer opened, Optional<RunFolder> folder, SharedCheckpoint from,
            WorkerCollective workers, Profiler profiler, Cancellation cancellation,
            List<TrainingListener> listeners) {
        this.task = task;
        this.profiler = profiler;
        this.options = task.options();
        this.folder = folder;
        this.listeners = listeners;
        this.workers = workers;
        this.cancellation = cancellation;
        PeftModel model = task.model();
        this.parameters = task.parameters();
        this.references = opened.add(new ReferenceValues(task.objective(), task.training(), task.validation()));
        this.validation = opened.add(new Validation(task.validation(), options, parameters));
        this.sampler = new UpdateSampler(task.training(), options);
        this.rows = new RowVisits(task.objective().learnedShare() > 0, task.training().examples());
        this.course = new Course(options, sampler.stepsPerEpoch(), sampler.totalSteps(), rows, validation);
        Optional<TrainingState> state = from.state();
        long doneSteps = state.map(TrainingState::step).orElse(0L);
        state.ifPresent(before -> course.restore(before.course(), doneSteps, from.finished()));
        this.pace = new RemainingTime(sampler.tokens(doneSteps, course.end()));
        this.passes = opened.add(new TrainingPasses(model, options, task.frozenStates(workers.count() == 1),
                profiler::around));
        this.work = new SharedWork(task, passes, rows, workers, cancellation);
        this.optimizer = opened.add(new Updates(model.engine(), parameters, options.optimizer(), task::weightDecay,
                task::rateFactor));
        model.activeAdapters().forEach(name -> hooks.put(name, opened.add(model.adapter(name).training(
                course.end()))));
        this.lower = LowerLayers.of(task, hooks.values(), workers.count());
        // After the hooks: a method may fill its configuration in for this training.
        RunSettings settings = RunSettings.of(task, parameters).with(work.settings(hooks.values(),
                optimizer.arrays().values()));
        this.checkpoint = new RunCheckpoint(model, settings, optimizer, hooks, validation, references, course);
        this.plan = new TrainingPlan(task.training().examples().size(), task.training().leftOut(),
                task.training().tokens(), task.training().supervised(), sampler.stepsPerEpoch(), course.end(),
                doneSteps, parameters.stream().mapToLong(Parameter::length).sum(), settings.values(),
                task.chosen());
        // A training that failed half-way may have left something there.
        model.trainableParameters().forEach(Parameter::clearGradient);
        opened.add(() -> parameters.forEach(Parameter::clearGradient));
    }

    /**
     * Prepares a training.
     *
     * @param output where it writes, locked until it is closed; a checkpoint there is gone on from, where that is
     *     wanted
     * @param workers who computes it
     * @param profiler notes where the time goes
     * @param listeners the caller's
     * @throws ConfigurationException when there is nothing to train, or the checkpoint is of another training
     * @throws io.peft4j.core.error.FileFormatException when the checkpoint is damaged
     */
    public static TrainingRun open(TrainingTask task, Optional<OutputFolder> output, WorkerCollective workers,
            Profiler profiler, Cancellation cancellation, List<TrainingListener> listeners) {
        try (Closer opened = new Closer()) {
            Optional<RunFolder> folder = output.map(place -> opened.add(RunFolder.open(task.model(), place)));
            TrainingRun run;
            try (SharedCheckpoint from = SharedCheckpoint.of(workers, folder.flatMap(RunFolder::resumePoint),
                    folder.map(RunFolder::isFinished).orElse(false))) {
                TrainingTask whole = task.complete(from.state().map(TrainingState::settings));
                // What is trained stays as it is until the end, whatever others do with the model.
                opened.add(task.model().leaseForTraining());
                run = new TrainingRun(whole, opened, folder, from, workers, profiler, cancellation, listeners);
                run.warn();
                if (from.folder().isPresent()) {
                    run.checkpoint.restore(from.state().get(), from.folder().get());
                }
                run.checkpoint.settings().requireAgreement(workers, task.model());
                run.follow();
            }
            run.owned = opened.keep();
            return run;
        }
    }

    private void follow() {
        List<TrainingListener> all = new ArrayList<>();
        folder.ifPresent(place -> all.addAll(place.begin(stepsDone())));
        all.addAll(listeners);
        told = new Listeners(all, OF_TRAINER::warn);
    }

    /** What is asked for. */
    public TrainingOptions options() {
        return options;
    }
    private void warn() {
        int warmup = options.warmupSteps().getAsInt();
        if (warmup >= plan.totalSteps()) {
            LOG.warn("the warm-up of {} is not over before the training is, after {}, so the learning rate never "
                    + "reaches {}", Count.of(warmup, "step"), Count.of(plan.totalSteps(), "step"), learningRate());
        }
    }

    private double learningRate() {
        return options.learningRate().getAsDouble();
    }

    /** Updates done so far, also those before the training was resumed. */
    long stepsDone() {
        return optimizer.steps();
    }

    /** Writes what {@link #open} needs to go on from here, and the adapter. */
    void save(Path folder) {
        checkpoint.save(folder);
    }

    /** Trains to the end, or until something stops it, and saves what was trained. */
    public TrainingResult execute() {
        try {
            start();
            evaluateWhereDue();
            while (!isOver()) {
                advance();
            }
            return save(end());
        } catch (RuntimeException | Error e) {
            failed(e);
            throw e;
        }
    }

    /** Makes the next update with everything that follows it, or ends where that is cancelled. */
    public BatchLosses advance() {
        BatchLosses update = next();
        profiler.enter(Section.PASSES);
        if (work.compute(stepsDone(), update, parameters)) {
            finish(update);
            evaluateWhereDue();
            conclude();
        } else {
            cancel();
        }
        return update;
    }

    private void evaluateWhereDue() {
        if (isEvaluationDue()) {
            evaluate();
        }
    }

    /** Begins to tell of the training. An evaluation may be due then. */
    public void start() {
        begin = System.nanoTime();
        told.onStart(plan);
        profiler.enter(Section.REFERENCES);
        addReferences();
        ending = ending();
    }

    /** Tells of a failure. */
    void failed(Throwable failure) {
        told.onFailure(failure);
    }

    /** Saves what was trained, and tells of the end. */
    public TrainingResult save(TrainingResult result) {
        folder.ifPresent(place -> place.finish(this, result));
        new Listeners(listeners, OF_TRAINER::warn).onEnd(result);
        return result;
    }

    /** Whether no update follows. */
    public boolean isOver() {
        return ending.isPresent();
    }

    /** Ends the training without another update. */
    public void cancel() {
        ending = Optional.of(Ending.CANCELLED);
    }

    /** What follows an update and its evaluation: perhaps the fall of the rate, a checkpoint, perhaps the end. */
    void conclude() {
        long before = course.end();
        boolean falls = course.decide(stepsDone(), this::isTimeToFall);
        if (falls) {
            pace.spare(sampler.tokens(course.end(), before));
            LOG.info("{} after update {}, with {} of {} rows learned: the rate falls over the next {}",
                    course.reason().words(), stepsDone(), rows.learned(), rows.size(),
                    Count.of(course.end() - stepsDone(), "step"));
        }
        // What is not learned may be learned by going on from before the rate falls.
        boolean kept = falls && course.reason() != LearnedRows.Reason.LEARNED && rows.learned() < rows.size();
        profiler.enter(Section.CHECKPOINTS);
        folder.ifPresent(place -> place.addCheckpointWhereDue(this, told, kept));
        ending = ending();
    }

    /** The end of a training that is over. */
    public TrainingResult end() {
        work.average(optimizer.arrays().values());
        if (stepsDone() < course.end() && stepsDone() > 0) {
            profiler.enter(Section.CHECKPOINTS);
            folder.ifPresent(place -> place.addCheckpoint(this, told));
        }
        requireFinite();
        OptionalLong restored = validation.restoreBest(stepsDone());
        return new TrainingResult(plan, steps, validation.evaluations(), ending.orElseThrow(), restored,
                (System.nanoTime() - begin) / 1e9, folder.map(RunFolder::path), rows.size() == 0 ? Optional.empty()
                        : Optional.of(course.result(sampler.epochs(course.stable()), sampler.epochs(stepsDone()))),
                profiler.end(task.model(), steps.size()));
    }

    /** Computes what the objective holds the model against, from the model as it is before the first update. */
    private void addReferences() {
        work.computeReferences(references, "training", task.training(), sampler.firstBatches());
        sampler.replace(references.of("training", task.training()));
        validation.set().ifPresent(set -> {
            work.computeReferences(references, "validation", set, validation.batches());
            validation.replace(references.of("validation", set));
        });
    }

    /**
     * What would be saved is looked at first, so that the last good checkpoint stays the last, and whoever cancels is
     * asked once more, who throws where the folder belongs to another process by now.
     */
    void requireFinite() {
        cancellation.isRequested();
        Divergence.requireFinite(parameters, stepsDone(), learningRate());
    }

    private Optional<Ending> ending() {
        if (stepsDone() >= course.end()) {
            return Optional.of(Ending.COMPLETE);
        }
        if (validation.isOutOfPatience() || collapsed && task.objective().endsOnCollapse()) {
            return Optional.of(Ending.STOPPED_EARLY);
        }
        return options.timeBudget().isPresent() && isTimeOver() ? Optional.of(Ending.OUT_OF_TIME) : Optional.empty();
    }

    private boolean isTimeOver() {
        return isOver(steps.isEmpty() ? 0 : steps.get(steps.size() - 1).seconds());
    }

    /** Whether the time that is left is just enough for the updates of a rate that falls. */
    private boolean isTimeToFall() {
        double mean = steps.stream().mapToDouble(StepMetrics::seconds).average().orElse(0);
        return options.timeBudget().isPresent() && isOver(mean * (course.earliest(stepsDone()) - stepsDone() + 1));
    }

    /** Whether the time is over in so many seconds, by the clock of the first worker. */
    private boolean isOver(double seconds) {
        double spent = (System.nanoTime() - begin) / 1e9 + seconds;
        boolean over = stepsDone() > 0 && spent > options.timeBudget().orElseThrow().toNanos() / 1e9;
        return workers.gather(new byte[] {(byte) (over ? 1 : 0)}).get(0)[0] == 1;
    }

    /** The next update, of which nothing is computed yet. */
    BatchLosses next() {
        event = new TrainingEvents.Step();
        event.begin();
        profiler.enter(Section.DATA);
        lower.freezeWhereDue(stepsDone(), sampler.stepsPerEpoch(), passes.states(), optimizer);
        return new BatchLosses(sampler.batches(stepsDone()), task.objective().partWeights());
    }

    /** Notes what an update said of an example. */
    void visited(BatchLosses update, EncodedExample example, boolean right, double loss) {
        update.measures().visited(rows.place(example), new RowVisits.Visit(right, loss));
    }

    /** Whether it was asked to stop. */
    boolean isCancelled() {
        return cancellation.isRequested();
    }

    /** Makes an update whose gradients are there, and tells of it. */
    void finish(BatchLosses update) {
        long step = stepsDone();
        profiler.enter(Section.OPTIMIZER);
        options.updateRule().beforeUpdate();
        double loss = update.loss();
        for (TrainingHook hook : hooks.values()) {
            loss += hook.addToGradients(step);
        }
        double norm = optimizer.gradientNorm();
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new Divergence(update.batches(), update.sums()).at(step + 1, loss, norm,
                    learningRate(), work::loss);
        }
        if (step == 0 && loss > 0) {
            Divergence.requireGradient(norm, plan.trainableParameters());
        }
        double rate = learningRate()
                * options.schedule().factor(step, options.warmupSteps().getAsInt(), course.end());
        hooks.values().forEach(TrainingHook::beforeUpdate);
        optimizer.update(rate, clipFactor(norm));
        hooks.values().forEach(hook -> hook.afterUpdate(step, clipFactor(norm)));
        task.model().trainableParameters().forEach(Parameter::clearGradient);
        profiler.enter(Section.METRICS);
        long end = System.nanoTime();
        double seconds = update.seconds(end);
        long tokens = update.examples().stream().mapToLong(EncodedExample::tokens).sum();
        update.measures().visits().forEach(rows::add);
        Map<String, Double> measures = new TreeMap<>(update.measures().means());
        if (rows.size() > 0) {
            measures.put(StepMetrics.LEARNED_ROWS, (double) rows.learned());
        }
        StepMetrics metrics = new StepMetrics(step + 1, sampler.epochs(step + 1), loss, rate, norm,
                tokens, update.examples().stream().mapToLong(EncodedExample::supervised).sum(), seconds,
                pace.secondsLeft(tokens, seconds, end / 1e9),
                measures, course.earliest(step + 1), course.end());
        if (work.meetsAfter(step + 1) || isEvaluationDue() || stepsDone() == course.end()) {
            work.average(optimizer.arrays().values());
        }
        steps.add(metrics);
        collapsed |= rewards.onStep(metrics).filter(RewardWatch.Finding::isCollapse).isPresent();
        event.commit(metrics);
        told.onStep(metrics);
        if (!update.measures().answers().isEmpty()) {
            told.onAnswers(step + 1, update.measures().answers());
        }
    }

    /** Scales down to the maximal norm, with the small term in the divisor that PyTorch has. */
    private double clipFactor(double norm) {
        double max = options.maxGradNorm();
        return max == 0 ? 1 : Math.min(1, max / (norm + 1e-6));
    }

    /** Whether the loss on the validation data is to be measured now: once each time. */
    boolean isEvaluationDue() {
        return validation.isDue(stepsDone(), sampler.stepsPerEpoch(), course.end());
    }

    /** What is kept of the layers that nothing changes. */
    public FrozenStates states() {
        return passes.states();
    }

    /** The validation data in the batches that it is measured in. */
    List<List<EncodedExample>> validationBatches() {
        return validation.batches();
    }

    /** Measures the loss on the validation data; a cancelled measurement is not told. */
    private void evaluate() {
        TrainingEvents.Evaluation measured = new TrainingEvents.Evaluation();
        measured.begin();
        profiler.enter(Section.EVALUATION);
        BatchLosses losses = new BatchLosses(validationBatches(), task.objective().partWeights());
        if (work.loss(losses)) {
            addEvaluation(losses.loss(), losses.measures(), measured);
        }
    }

    /** Takes a measurement and tells of it. */
    void addEvaluation(double loss, Measures measures, TrainingEvents.Evaluation measured) {
        TrainingResult.Evaluation evaluation = new TrainingResult.Evaluation(stepsDone(),
                sampler.epochs(stepsDone()), loss, measures.means());
        measured.commit(evaluation);
        validation.add(evaluation);
        told.onEvaluation(evaluation);
    }

    @Override
    public void close() {
        owned.close();
    }
}
