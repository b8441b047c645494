package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.Masking;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.train.optimizer.Optimizer;
import io.peft4j.train.parallel.WorkerCollective;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Collects what a trainer needs. Epochs, batch size and learning rate that are not set are chosen by rules when the
 * examples are known ({@link HyperparameterRules}): from the data, the model, the method and the objective, so that the
 * same training is the same on every machine. A listener is told in {@link TrainingPlan#chosen}, and the log says it.
 */
public final class TrainerBuilder {
    /** What stands for numbers that are chosen later. */
    private static final TrainingOptions DEFAULTS = TrainingOptions.of(3, 8, 2e-4);

    final PeftModel model;
    private OptionalInt epochs = OptionalInt.empty();
    private OptionalInt batchSize = OptionalInt.empty();
    private OptionalInt gradientAccumulation = OptionalInt.empty();
    private OptionalDouble learningRate = OptionalDouble.empty();
    private LearningRateSchedule schedule = DEFAULTS.schedule();
    private OptionalInt warmupSteps = OptionalInt.empty();
    private double weightDecay = DEFAULTS.weightDecay();
    private double maxGradNorm = DEFAULTS.maxGradNorm();
    private long seed = DEFAULTS.seed();
    private boolean shuffle = DEFAULTS.shuffle();
    private boolean sharePrefixes = DEFAULTS.sharePrefixes();
    private PackOptions.Strategy packing = DEFAULTS.packing();
    private int packTokens = DEFAULTS.packTokens();
    private boolean recompute = DEFAULTS.recompute();
    OptionalInt maxLength = OptionalInt.empty();
    Masking masking = Masking.ASSISTANT;
    List<TokenSequence> validation = List.of();
    Optional<ChatDataset> validationChats = Optional.empty();
    private Optional<Path> output = Optional.empty();
    private IfExists ifExists = IfExists.FAIL;
    private int checkpointEverySteps;
    private int keptCheckpoints = 2;
    private RunStart start = RunStart.NEW;
    final List<TrainingListener> listeners = new ArrayList<>();
    boolean logsProgress = true;
    UpdateRule rule = UpdateRule.PLAIN;
    Cancellation cancellation = new Cancellation();
    WorkerCollective workers = WorkerCollective.one();
    TrainingControl control = TrainingControl.defaults();
    LearningOptions learning = LearningOptions.defaults();

    TrainerBuilder(PeftModel model) {
        this.model = Objects.requireNonNull(model, "model");
    }

    /** All the numbers of a training at once. */
    public TrainerBuilder options(TrainingOptions value) {
        schedule = value.schedule();
        weightDecay = value.weightDecay();
        maxGradNorm = value.maxGradNorm();
        seed = value.seed();
        shuffle = value.shuffle();
        sharePrefixes = value.sharePrefixes();
        packing = value.packing();
        packTokens = value.packTokens();
        recompute = value.recompute();
        return epochs(value.epochs()).batchSize(value.batchSize()).gradientAccumulation(value.gradientAccumulation())
                .learningRate(value.learningRate()).warmupSteps(value.warmupSteps());
    }

    /** What was chosen by rules: batch size, gradient accumulation, epochs, learning rate and warm-up. */
    public TrainerBuilder hyperparameters(Hyperparameters chosen) {
        return batchSize(chosen.batchSize()).gradientAccumulation(chosen.gradientAccumulation())
                .epochs(chosen.epochs()).learningRate(chosen.learningRate()).warmupSteps(chosen.warmupSteps());
    }

    /** Passes over the data, at least 1; chosen by rules where not set. */
    public TrainerBuilder epochs(int value) {
        epochs = OptionalInt.of(value);
        return this;
    }

    /** Examples in a forward pass, at least 1; chosen by rules where not set. */
    public TrainerBuilder batchSize(int value) {
        batchSize = OptionalInt.of(value);
        return this;
    }

    /** Forward passes in an update, at least 1; default 1, chosen with the batch size where that is not set. */
    public TrainerBuilder gradientAccumulation(int value) {
        gradientAccumulation = OptionalInt.of(value);
        return this;
    }

    /** The highest learning rate, above 0 and at most 1; chosen by rules where not set. */
    public TrainerBuilder learningRate(double value) {
        learningRate = OptionalDouble.of(value);
        return this;
    }

    /** How the learning rate falls after the warm-up; default {@link LearningRateSchedule#LINEAR}, to 0. */
    public TrainerBuilder schedule(LearningRateSchedule value) {
        schedule = value;
        return this;
    }

    /** Updates over which the learning rate rises from 0; default 0, chosen with the rate where that is not set. */
    public TrainerBuilder warmupSteps(int value) {
        warmupSteps = OptionalInt.of(value);
        return this;
    }

    /** Decoupled weight decay, as in AdamW; default 0. */
    public TrainerBuilder weightDecay(double value) {
        weightDecay = value;
        return this;
    }

    /** The norm that all gradients together are clipped to; 0 means never; default 1. */
    public TrainerBuilder maxGradNorm(double value) {
        maxGradNorm = value;
        return this;
    }

    /** Seed of order and dropout; default 0. */
    public TrainerBuilder seed(long value) {
        seed = value;
        return this;
    }

    /** Whether each epoch has an order of its own, drawn from the seed; default true. */
    public TrainerBuilder shuffle(boolean value) {
        shuffle = value;
        return this;
    }

    /** Whether a beginning that examples of a batch share is computed once; default true. */
    public TrainerBuilder sharePrefixes(boolean value) {
        sharePrefixes = value;
        return this;
    }

    /**
     * Which examples come into a batch together. All but {@link PackOptions.Strategy#IN_ORDER} save time or memory
     * and make batches less alike to random ones. Default: {@link PackOptions.Strategy#IN_ORDER}.
     */
    public TrainerBuilder packing(PackOptions.Strategy value) {
        packing = Objects.requireNonNull(value, "packing");
        return this;
    }

    /** The most tokens in a batch, instead of {@link #batchSize}; shared beginnings count once. Default: no limit. */
    public TrainerBuilder packTokens(int value) {
        packTokens = value;
        return this;
    }

    /**
     * Whether decoder layers run a second time rather than keep what their gradients need: less memory, a third to a
     * half more time, the same numbers. Default: false, where layers of long batches do so ({@link TrainingOptions}).
     */
    public TrainerBuilder recompute(boolean value) {
        recompute = value;
        return this;
    }

    /** The most tokens of a conversation: longer ones are left out. Default: the model's limit. */
    public TrainerBuilder maxLength(int tokens) {
        maxLength = OptionalInt.of(tokens);
        return this;
    }

    /** Which tokens of a conversation are learned; default {@link Masking#ASSISTANT}. */
    public TrainerBuilder masking(Masking value) {
        masking = Objects.requireNonNull(value, "masking");
        return this;
    }

    /** Examples whose loss is measured before the training and after each epoch; default none. */
    public TrainerBuilder validation(List<TokenSequence> examples) {
        validation = List.copyOf(examples);
        validationChats = Optional.empty();
        return this;
    }

    /** Conversations whose loss is measured before the training and after each epoch; default none. */
    public TrainerBuilder validation(ChatDataset examples) {
        validationChats = Optional.of(examples);
        return this;
    }

    /** A folder for the adapter and {@code metrics.jsonl}; it must not hold a run yet ({@link IfExists#FAIL}). */
    public TrainerBuilder output(Path folder) {
        return output(folder, IfExists.FAIL);
    }

    /**
     * A folder for the adapter and {@code metrics.jsonl}, and what happens where it holds a run already. With
     * {@link IfExists#NEXT}, {@link TrainingResult#output} says where the adapter went. With
     * {@link IfExists#OVERWRITE}, metrics and checkpoints of the former run go when the training begins, its adapter
     * when the new one is saved; other files stay.
     */
    public TrainerBuilder output(Path folder, IfExists policy) {
        output = Optional.of(folder);
        ifExists = Objects.requireNonNull(policy, "policy");
        return this;
    }

    /**
     * Updates between two checkpoints: folders {@code checkpoint-N} in the output folder, each a usable adapter
     * from which the training can be resumed. Default: 0, none but at the end of a training that is cancelled.
     */
    public TrainerBuilder checkpointEverySteps(int steps) {
        checkpointEverySteps = steps;
        return this;
    }

    /** How many checkpoints stay, the last ones: at least 2, since one may be damaged; default 2. */
    public TrainerBuilder keepCheckpoints(int count) {
        keptCheckpoints = count;
        return this;
    }

    /**
     * Whether to begin, or to go on from the last checkpoint in the output folder. One that goes on must be the same
     * training: the same options, data, base, adapter configuration and kernels; anything else is refused, with all
     * that differs. The result is then that of a training that was never interrupted, on the same processor bit for
     * bit. Default: {@link RunStart#NEW}.
     */
    public TrainerBuilder start(RunStart value) {
        start = Objects.requireNonNull(value, "start");
        return this;
    }

    /** Follows the training; may be called more than once, for several listeners. */
    public TrainerBuilder listener(TrainingListener listener) {
        listeners.add(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Whether the log says how the training goes on: a line at its start, one at most every ten seconds, and one at its
     * end, at level INFO of {@code io.peft4j.train.Trainer}. Default: true.
     */
    public TrainerBuilder logProgress(boolean value) {
        logsProgress = value;
        return this;
    }

    /** How updates differ by parameter; default {@link UpdateRule#PLAIN}. */
    public TrainerBuilder updateRule(UpdateRule value) {
        rule = Objects.requireNonNull(value, "rule");
        return this;
    }

    /** How gradients become updates; default {@link io.peft4j.train.optimizer.AdamW#DEFAULT}. */
    public TrainerBuilder optimizer(Optimizer value) {
        return learning(new LearningOptions(value, learning.groups(), learning.neftuneAlpha(),
                learning.labelSmoothing()));
    }

    /** Parameters with a learning rate or a weight decay of their own; may be called more than once. */
    public TrainerBuilder parameterGroup(ParameterGroup group) {
        return learning(new LearningOptions(learning.optimizer(), Stream.concat(learning.groups().stream(),
                Stream.of(group)).toList(), learning.neftuneAlpha(), learning.labelSmoothing()));
    }

    /** Noise on the embeddings of tokens; 0, the default, is none. See {@link LearningOptions}. */
    public TrainerBuilder neftuneAlpha(double alpha) {
        return learning(new LearningOptions(learning.optimizer(), learning.groups(), alpha,
                learning.labelSmoothing()));
    }

    /** Share of the target that is spread over all tokens; 0, the default, is none. See {@link LearningOptions}. */
    public TrainerBuilder labelSmoothing(double share) {
        return learning(new LearningOptions(learning.optimizer(), learning.groups(), learning.neftuneAlpha(), share));
    }

    /** Optimizer, parameter groups, noise and smoothing at once; default {@link LearningOptions#defaults}. */
    public TrainerBuilder learning(LearningOptions value) {
        learning = Objects.requireNonNull(value, "learning");
        return this;
    }

    /** When the training measures and ends, and which adapter it leaves; default {@link TrainingControl#defaults}. */
    public TrainerBuilder control(TrainingControl value) {
        control = Objects.requireNonNull(value, "control");
        return this;
    }

    /** Updates in all, instead of those that the epochs make up; default 0, which means that the epochs decide. */
    public TrainerBuilder maxSteps(long steps) {
        return control(new TrainingControl(steps, control.evaluateEverySteps(), control.patience(),
                control.threshold(), control.keepBest(), control.timeBudget()));
    }

    /** Updates between two measurements on the validation data; default 0, which means after each epoch. */
    public TrainerBuilder evaluateEverySteps(long steps) {
        return control(new TrainingControl(control.maxSteps(), steps, control.patience(), control.threshold(),
                control.keepBest(), control.timeBudget()));
    }

    /**
     * Ends the training early, and leaves the best adapter. Default: never.
     *
     * @param patience number of measurements in a row without an improvement, after which it ends
     * @param threshold by how much the loss must be lower than the best one to count as an improvement
     */
    public TrainerBuilder earlyStopping(int patience, double threshold) {
        return control(new TrainingControl(control.maxSteps(), control.evaluateEverySteps(), patience, threshold, true,
                control.timeBudget()));
    }

    /** Whether the adapter with the lowest loss on the validation data is left, not the last one; default false. */
    public TrainerBuilder keepBest(boolean value) {
        return control(new TrainingControl(control.maxSteps(), control.evaluateEverySteps(), control.patience(),
                control.threshold(), value, control.timeBudget()));
    }

    /** The time after which the training stops and saves; default none. */
    public TrainerBuilder timeBudget(Duration time) {
        return control(new TrainingControl(control.maxSteps(), control.evaluateEverySteps(), control.patience(),
                control.threshold(), control.keepBest(), Optional.of(time)));
    }

    /** Stops the training when another thread asks for it. */
    public TrainerBuilder cancellation(Cancellation value) {
        cancellation = Objects.requireNonNull(value, "cancellation");
        return this;
    }

    /**
     * Those who train together, each with a trainer of the same options, data, base and adapter: each computes its part
     * of every update, and all end with the same adapter, that of one worker up to rounding. Where the gradient
     * accumulation is a multiple of their number, each takes whole batches, otherwise they divide every batch; then
     * dropout and noise have other random numbers than on one worker.
     *
     * <p>The first worker alone writes the output, goes on from checkpoints, which it sends to the others, and tells
     * listeners. Whoever is cancelled stops all. The caller closes the workers.
     */
    public TrainerBuilder workers(WorkerCollective value) {
        workers = Objects.requireNonNull(value, "workers");
        return this;
    }

    Optional<OutputFolder> outputFolder() {
        return output.map(folder -> new OutputFolder(new Checkpoints(folder, checkpointEverySteps, keptCheckpoints),
                model.adapterNames(), start, ifExists));
    }

    /** The numbers as far as they are set; fails where one is out of range. */
    GivenOptions given() {
        return new GivenOptions(epochs, batchSize, gradientAccumulation, learningRate, warmupSteps,
                new TrainingOptions(epochs.orElse(DEFAULTS.epochs()), batchSize.orElse(DEFAULTS.batchSize()),
                        gradientAccumulation.orElse(DEFAULTS.gradientAccumulation()),
                        learningRate.orElse(DEFAULTS.learningRate()), schedule,
                        warmupSteps.orElse(DEFAULTS.warmupSteps()), weightDecay, maxGradNorm, seed, shuffle,
                        sharePrefixes, packing, packTokens, recompute));
    }

    /**
     * The trainer.
     *
     * @throws ConfigurationException when an option is out of range
     */
    public Trainer build() {
        int limit = model.network().description().maxPositions();
        if (maxLength.isPresent() && (maxLength.getAsInt() < 1 || maxLength.getAsInt() > limit)) {
            throw new ConfigurationException("max length must be from 1 to the model's limit of " + limit + ", got "
                    + maxLength.getAsInt());
        }
        Checkpoints.require(checkpointEverySteps, keptCheckpoints);
        if (output.isEmpty() && (start != RunStart.NEW || checkpointEverySteps > 0)) {
            throw new ConfigurationException("checkpoints and resuming need an output folder");
        }
        if (checkpointEverySteps % workers.localSteps() != 0) {
            throw new ConfigurationException("a checkpoint every " + Count.of(checkpointEverySteps, "step")
                    + " does not go with " + workers.localSteps() + " local steps of each worker; make it a multiple");
        }
        return new Trainer(this);
    }
}
