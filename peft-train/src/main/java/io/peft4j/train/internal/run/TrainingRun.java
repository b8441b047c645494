package io.peft4j.train.internal.run;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.support.Count;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.train.Cancellation;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.TrainingResult.Ending;
import io.peft4j.train.internal.checkpoint.TrainingState;
import io.peft4j.train.internal.parallel.SharedCheckpoint;
import io.peft4j.train.internal.parallel.SharedWork;
import io.peft4j.train.internal.parallel.WorkerAgreement;
import io.peft4j.train.internal.pass.FrozenStates;
import io.peft4j.train.internal.pass.Measures;
import io.peft4j.train.internal.pass.RowVisits;
import io.peft4j.train.internal.pass.TrainingPasses;
import io.peft4j.train.internal.report.Listeners;
import io.peft4j.train.internal.report.RewardWatch;
import io.peft4j.train.internal.report.TrainingEvents;
import io.peft4j.train.internal.task.Divergence;
import io.peft4j.train.internal.task.PartSums;
import io.peft4j.train.internal.task.ReferenceValues;
import io.peft4j.train.internal.task.RunSettings;
import io.peft4j.train.internal.task.TrainingTask;
import io.peft4j.train.internal.task.Update;
import io.peft4j.train.internal.task.UpdateSampler;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.optimizer.Updates;
import io.peft4j.train.parallel.WorkerCollective;
import io.peft4j.train.runs.LearnedRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.nd4j.linalg.api.buffer.DataType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One training from the first update to the last: the loop and what it has seen so far. */
public final class TrainingRun implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingRun.class);

    private final TrainingTask task;
    private final TrainingOptions options;
    private final Cancellation cancellation;
    private final WorkerCollective workers;
    private final SharedWork work;
    private final List<Parameter> parameters;
    /** Keeps what is trained as it is until the end, whatever others do with the model. */
    private final ModelLease lease;
    private final UpdateSampler sampler;
    private final Validation validation;
    private final ReferenceValues references;
    private final TrainingPlan plan;
    private final RemainingTime pace;
    private final RowVisits rows;
    private final Course course;
    private final TrainingPasses passes;
    private final Updates optimizer;
    private final Map<String, TrainingHook> hooks = new LinkedHashMap<>();
    private final RunCheckpoint checkpoint;
    private final List<StepMetrics> steps = new ArrayList<>();
    private final RewardWatch rewards = new RewardWatch();
    private boolean collapsed;
    private TrainingListener listener = new Listeners(List.of(), LOG::warn);
    private Optional<RunFolder> folder = Optional.empty();
    private Optional<Ending> ending = Optional.empty();
    private long begin;

    private TrainingRun(TrainingTask task, ModelLease lease, SharedCheckpoint from, Optional<TrainingState> state,
            WorkerCollective workers, Cancellation cancellation) {
        this.task = task;
        this.options = task.options();
        this.lease = lease;
        this.workers = workers;
        this.cancellation = cancellation;
        PeftModel model = task.model();
        this.parameters = task.parameters();
        this.references = new ReferenceValues(task.objective(), task.training(), task.validation());
        this.validation = new Validation(task.validation(), options, parameters);
        this.sampler = new UpdateSampler(task.training(), options);
        this.rows = new RowVisits(task.objective().learnedShare() > 0, task.training().examples());
        this.course = new Course(options, sampler.stepsPerEpoch(), sampler.totalSteps(), rows, validation);
        long doneSteps = state.map(TrainingState::step).orElse(0L);
        state.ifPresent(before -> course.restore(before.course(), doneSteps, from.finished()));
        this.pace = new RemainingTime(sampler.tokens(doneSteps, course.end()));
        this.passes = new TrainingPasses(model, options, frozenStates());
        this.work = new SharedWork(task, passes, rows, workers, cancellation);
        this.optimizer = new Updates(model.engine(), parameters, options.optimizer(), task::weightDecay,
                task::rateFactor);
        model.activeAdapters().forEach(name -> hooks.put(name, model.adapter(name).training(course.end())));
        // After the hooks: a method may fill its configuration in for this training.
        RunSettings settings = RunSettings.of(task, parameters).with(localSteps());
        this.checkpoint = new RunCheckpoint(model, settings, optimizer, hooks, validation, references, course);
        this.plan = new TrainingPlan(task.training().examples().size(), task.training().leftOut(),
                task.training().tokens(), task.training().supervised(), sampler.stepsPerEpoch(), course.end(),
                doneSteps, parameters.stream().mapToLong(Parameter::length).sum(), settings.values(), task.chosen());
        // A training that failed half-way may have left something there.
        model.trainableParameters().forEach(Parameter::clearGradient);
    }

    /** What updates by single workers add to the settings. */
    private Map<String, String> localSteps() {
        if (workers.localSteps() == 1) {
            return Map.of();
        }
        if (hooks.values().stream().anyMatch(hook -> hook != TrainingHook.NONE) || optimizer.arrays().values().stream()
                .anyMatch(array -> array.dataType() != DataType.FLOAT)) {
            throw new ConfigurationException("local steps take the mean of parameters and of what the optimizer "
                    + "remembers, which is for methods without terms of their own in a training and for optimizers "
                    + "that remember in 32 bits; train with sums of gradients (1 local step), or with another method "
                    + "or optimizer");
        }
        return Map.of("local_steps", workers.localSteps() + " of " + workers.count() + " workers");
    }

    /** What is worth keeping when examples come again. */
    private FrozenStates frozenStates() {
        if (options.epochs().getAsInt() == 1 || options.neftuneAlpha() > 0) {
            return FrozenStates.none();
        }
        List<TokenSequence> all = new ArrayList<>(EncodedExample.sequences(task.training().examples()));
        all.addAll(EncodedExample.sequences(validation.examples()));
        // A worker of several sees single examples of those that follow each other.
        return FrozenStates.of(task.model().network().description(), all,
                workers.count() == 1 ? options.batchSize().getAsInt() : 1);
    }

    /** What is asked for. */
    public TrainingOptions options() {
        return options;
    }

    /**
     * Prepares a training.
     *
     * @param task with complete options
     * @param from the checkpoint that it goes on from, if not from the beginning
     * @param workers who computes it
     * @throws ConfigurationException when there is nothing to train, or the checkpoint is of another training
     * @throws io.peft4j.core.error.FileFormatException when the checkpoint is damaged
     */
    public static TrainingRun prepare(TrainingTask task, SharedCheckpoint from, WorkerCollective workers,
            Cancellation cancellation) {
        Optional<TrainingState> state = from.folder().map(TrainingState::load);
        ModelLease lease = task.model().leaseForTraining();
        TrainingRun run = null;
        boolean complete = false;
        try {
            run = new TrainingRun(task, lease, from, state, workers, cancellation);
            run.warn();
            if (state.isPresent()) {
                run.checkpoint.restore(state.get(), from.folder().get());
            }
            WorkerAgreement.require(workers, run.checkpoint.settings(), task.model());
            complete = true;
            return run;
        } finally {
            if (!complete) {
                if (run != null) {
                    run.close();
                }
                lease.close();
            }
        }
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

    /** Writes all that {@link #prepare} needs to go on from here, and the adapter. */
    void save(Path folder) {
        checkpoint.save(folder);
    }

    /** Trains to the end, or until something stops it. */
    TrainingResult execute(TrainingListener told, Optional<RunFolder> place) {
        start(told, place);
        evaluateWhereDue();
        while (!isOver()) {
            advance();
        }
        return end();
    }

    /** Makes the next update with all that follows it, or ends where that is cancelled. */
    public Update advance() {
        Update update = next();
        if (work.compute(update, parameters)) {
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
    public void start(TrainingListener told, Optional<RunFolder> place) {
        begin = System.nanoTime();
        listener = told;
        folder = place;
        listener.onStart(plan);
        addReferences();
        ending = ending();
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
        folder.ifPresent(place -> place.addCheckpointWhereDue(this, listener, kept));
        ending = ending();
    }

    /** The end of a training that is over. */
    public TrainingResult end() {
        work.average(optimizer.arrays().values());
        if (stepsDone() < course.end() && stepsDone() > 0) {
            folder.ifPresent(place -> place.addCheckpoint(this, listener));
        }
        requireFinite();
        OptionalLong restored = validation.restoreBest(stepsDone());
        return new TrainingResult(plan, steps, validation.evaluations(), ending.orElseThrow(), restored,
                (System.nanoTime() - begin) / 1e9, folder.map(RunFolder::path), rows.size() == 0 ? Optional.empty()
                        : Optional.of(course.result(sampler.epochs(course.stable()), sampler.epochs(stepsDone()))));
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

    /** What would be saved is looked at first, so that the last good checkpoint stays the last. */
    void requireFinite() {
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
    Update next() {
        TrainingEvents.Step event = new TrainingEvents.Step();
        event.begin();
        return new Update(optimizer.steps(), sampler.batches(optimizer.steps()),
                task.objective().partWeights(), event);
    }

    /** Notes what an update said of an example. */
    void visited(Update update, EncodedExample example, boolean right, double loss) {
        update.measures().visited(rows.place(example), new RowVisits.Visit(right, loss));
    }

    /** Whether somebody wants it to stop. */
    boolean isCancelled() {
        return cancellation.isRequested();
    }

    /** Makes an update whose gradients are there, and tells of it. */
    void finish(Update update) {
        long step = update.number();
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
        long end = System.nanoTime();
        double seconds = update.seconds(end);
        update.measures().visits().forEach(rows::add);
        Map<String, Double> measures = new TreeMap<>(update.measures().means());
        if (rows.size() > 0) {
            measures.put(StepMetrics.LEARNED_ROWS, (double) rows.learned());
        }
        StepMetrics metrics = new StepMetrics(step + 1, sampler.epochs(step + 1), loss, rate, norm,
                update.tokens(), update.supervised(), seconds, pace.secondsLeft(update.tokens(), seconds, end / 1e9),
                measures, course.earliest(step + 1), course.end());
        if (work.meetsAfter(step + 1) || isEvaluationDue() || stepsDone() == course.end()) {
            work.average(optimizer.arrays().values());
        }
        steps.add(metrics);
        collapsed |= rewards.onStep(metrics).filter(RewardWatch.Finding::isCollapse).isPresent();
        update.event().commit(metrics);
        listener.onStep(metrics);
        if (!update.measures().answers().isEmpty()) {
            listener.onAnswers(step + 1, update.measures().answers());
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

    /** What is kept of the layers that no adapter changes. */
    public FrozenStates states() {
        return passes.states();
    }

    /** The validation data in the batches that it is measured in. */
    List<List<EncodedExample>> validationBatches() {
        return validation.batches();
    }

    /** Measures the loss on the validation data; a cancelled measurement is not told. */
    private void evaluate() {
        TrainingEvents.Evaluation event = new TrainingEvents.Evaluation();
        event.begin();
        PartSums sums = new PartSums(task.objective().partWeights(), validation.examples());
        Measures measures = new Measures();
        if (work.loss(validationBatches(), sums, measures)) {
            addEvaluation(sums.loss(), measures, event);
        }
    }

    /** Takes a measurement and tells of it. */
    void addEvaluation(double loss, Measures measures, TrainingEvents.Evaluation event) {
        TrainingResult.Evaluation evaluation = new TrainingResult.Evaluation(stepsDone(),
                sampler.epochs(stepsDone()), loss, measures.means());
        event.commit(evaluation);
        validation.add(evaluation);
        listener.onEvaluation(evaluation);
    }

    @Override
    public void close() {
        parameters.forEach(Parameter::clearGradient);
        hooks.values().forEach(TrainingHook::close);
        optimizer.close();
        validation.close();
        references.close();
        passes.close();
        lease.close();
    }
}
