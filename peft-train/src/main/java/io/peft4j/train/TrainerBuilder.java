package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.train.objective.Keeping;
import io.peft4j.train.parallel.WorkerCollective;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Collects what a trainer needs: the options of the training, all at once ({@link #options}) or one by one, and what is
 * around it, such as data that it is measured on, its folder and those who follow it. What rules choose of the options
 * ({@link TrainingOptions}) a listener gets in {@link TrainingPlan#chosen}, and the log says it.
 */
public final class TrainerBuilder extends TrainingOptions.Setters<TrainerBuilder> {
    final PeftModel model;
    List<TokenSequence> validation = List.of();
    Optional<ChatDataset> validationChats = Optional.empty();
    private Optional<Path> output = Optional.empty();
    private IfExists ifExists = IfExists.FAIL;
    private int checkpointEverySteps;
    private int keptCheckpoints = 2;
    private RunStart start = RunStart.NEW;
    final List<TrainingListener> listeners = new ArrayList<>();
    boolean logsProgress = true;
    Cancellation cancellation = new Cancellation();
    WorkerCollective workers = WorkerCollective.one();
    Optional<Keeping> keeping = Optional.empty();

    TrainerBuilder(PeftModel model) {
        this.model = Objects.requireNonNull(model, "model");
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
     * Whether to begin, or to go on from the last checkpoint in the output folder. One that is resumed must be the same
     * training: the same options, data, base, adapter configuration and kernels; anything else is refused, with
     * everything that differs. The result is then that of a training that was never interrupted, on the same processor
     * bit for bit. Default: {@link RunStart#NEW}.
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
     * Whether the progress of the training is logged: a line at its start, one at most every ten seconds, and one at
     * its end, at level INFO of {@code io.peft4j.train.Trainer}. Default: true.
     */
    public TrainerBuilder logProgress(boolean value) {
        logsProgress = value;
        return this;
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
     * <p>The first worker alone writes the output, resumes from checkpoints, which it sends to the others, and tells
     * listeners. Whoever is cancelled stops all. The caller closes the workers.
     */
    public TrainerBuilder workers(WorkerCollective value) {
        workers = Objects.requireNonNull(value, "workers");
        return this;
    }

    /**
     * Holds the model near what its base answers to some prompts, which are asked before the first update: each update
     * is penalized for what changes along these answers ({@link io.peft4j.train.objective.KeepingObjective}). Default:
     * nothing is kept. Conversations forget less, at less cost, beside general ones ({@link
     * io.peft4j.data.ChatDataset#remembering}).
     */
    public TrainerBuilder keeping(Keeping value) {
        keeping = Optional.of(value);
        return this;
    }

    Optional<OutputFolder> outputFolder() {
        return output.map(folder -> new OutputFolder(new Checkpoints(folder, checkpointEverySteps, keptCheckpoints),
                model.adapterNames(), start, ifExists));
    }

    /**
     * The trainer.
     *
     * @throws ConfigurationException when an option is out of range
     */
    public Trainer build() {
        int limit = model.network().description().maxPositions();
        TrainingOptions options = chosen();
        if (options.maxLength().orElse(1) > limit) {
            throw new ConfigurationException("max length must be from 1 to the model's limit of " + limit + ", got "
                    + options.maxLength().getAsInt());
        }
        Checkpoints.require(checkpointEverySteps, keptCheckpoints);
        if (output.isEmpty() && (start != RunStart.NEW || checkpointEverySteps > 0)) {
            throw new ConfigurationException("checkpoints and resuming need an output folder");
        }
        if (checkpointEverySteps % workers.localSteps() != 0) {
            throw new ConfigurationException("a checkpoint every " + Count.of(checkpointEverySteps, "step")
                    + " does not go with " + workers.localSteps() + " local steps of each worker; make it a multiple");
        }
        return new Trainer(this, options);
    }
}
