package io.peft4j.train.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.data.ChatDataset;
import io.peft4j.train.Cancellation;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;

/** Collects what a sweep needs. */
public final class SweepBuilder {
    final BaseLanguageModel base;
    final PeftConfig config;
    final SearchSpace space;
    Function<PeftModel, TrainerBuilder> trainer = Trainer::builder;
    SearchStrategy strategy = SearchStrategy.TPE;
    int trials;
    long seed;
    int halvingRate;
    int sideBySide;
    boolean resume;
    Optional<ChatDataset> examples = Optional.empty();
    Optional<ChatDataset> held = Optional.empty();
    Optional<BiFunction<TrainerBuilder, PeftModel, TrainingResult>> training = Optional.empty();
    Function<Path, List<TrainingListener>> listeners = folder -> List.of();
    Consumer<Trial> progress = trial -> {
    };
    Cancellation cancellation = new Cancellation();
    Optional<TrialExecutor> site = Optional.empty();
    Set<String> setupNames = Set.of();
    Optional<Function<Map<String, JsonNode>, TrialSetup>> setup = Optional.empty();

    SweepBuilder(BaseLanguageModel base, PeftConfig config, SearchSpace space) {
        this.base = Objects.requireNonNull(base, "base");
        this.config = Objects.requireNonNull(config, "config");
        this.space = Objects.requireNonNull(space, "space");
    }

    /** What all trials have in common, without an output folder; the space changes it. Default: the trainer's. */
    public SweepBuilder trainer(Function<PeftModel, TrainerBuilder> value) {
        trainer = Objects.requireNonNull(value, "trainer");
        return this;
    }

    /**
     * What trials are trained with that have values of some names, such as the method: these values are not options of
     * the training or keys of the configuration. Default: the same for all.
     *
     * @param names such names
     * @param value gives the training of a trial by its values of these names
     */
    @Internal
    public SweepBuilder setup(Set<String> names, Function<Map<String, JsonNode>, TrialSetup> value) {
        setupNames = Set.copyOf(names);
        setup = Optional.of(value);
        return this;
    }

    /** What is tried next; default {@link SearchStrategy#TPE}. */
    @Internal
    public SweepBuilder strategy(SearchStrategy value) {
        strategy = Objects.requireNonNull(value, "strategy");
        return this;
    }

    /** Number of trials; default 20, and all of a grid. */
    public SweepBuilder trials(int value) {
        trials = value;
        return this;
    }

    /** Seed of the search, and of trials unless their options have one; default 0. */
    public SweepBuilder seed(long value) {
        seed = value;
        return this;
    }

    /**
     * Successive halving (<a href="https://arxiv.org/abs/1502.07943">1502.07943</a>): all trials begin, and again and
     * again the best of {@code rate} go on for {@code rate} times as many steps, until one is finished. A continued
     * trial resumes from its checkpoint. Default: 0, where all trials are trained to their end.
     */
    public SweepBuilder halving(int rate) {
        halvingRate = rate;
        return this;
    }

    /**
     * How many trials share passes at most; 1 is one after the other. Default: 0, where as many do as have 2,048 tokens
     * in a pass together, at most 8. Trials with dropout, noise or smoothed labels run by themselves.
     */
    public SweepBuilder sideBySide(int value) {
        sideBySide = value;
        return this;
    }

    /** Whether to go on with the sweep in the output folder; default false, where such a folder is refused. */
    public SweepBuilder resume(boolean value) {
        resume = value;
        return this;
    }

    /** Conversations to train on; of these a tenth is held back for the loss that trials are compared by. */
    public SweepBuilder data(ChatDataset value) {
        examples = Optional.of(value);
        return this;
    }

    /** Conversations whose loss trials are compared by. */
    public SweepBuilder validation(ChatDataset value) {
        held = Optional.of(value);
        return this;
    }

    /**
     * Trains a trial with another objective: with validation data, by which trials are compared. Such trials run one
     * after the other.
     */
    public SweepBuilder training(BiFunction<TrainerBuilder, PeftModel, TrainingResult> value) {
        training = Optional.of(value);
        return this;
    }

    /** Those who follow the training of a folder, such as trackers. */
    public SweepBuilder listeners(Function<Path, List<TrainingListener>> value) {
        listeners = Objects.requireNonNull(value, "listeners");
        return this;
    }

    /** Gets each trial when it has ended or is paused. */
    public SweepBuilder progress(Consumer<Trial> value) {
        progress = Objects.requireNonNull(value, "progress");
        return this;
    }

    /** What stops the sweep from outside: the trials that run stop after their update, and can be resumed. */
    public SweepBuilder cancellation(Cancellation value) {
        cancellation = Objects.requireNonNull(value, "cancellation");
        return this;
    }

    /** Where trials are trained; default: here. */
    @Internal
    public SweepBuilder site(TrialExecutor value) {
        site = Optional.of(value);
        return this;
    }

    /**
     * Trains some trials of a sweep that runs elsewhere; see {@link TrialExecutor}. All options must be those of that
     * sweep.
     *
     * @param output its folder
     * @param share the share of its steps up to which each is trained
     * @return how they stand, in any order; those that were stopped are not among them
     */
    public List<Trial> train(Path output, List<Trial> trials, double share) {
        List<Trial> ended = new ArrayList<>();
        new TrialRunner(this, output).run(trials, share, ended::add);
        return ended;
    }

    /**
     * Runs the sweep.
     *
     * @param output a folder for {@code sweep.json}, {@code sweep.html}, and a folder for each trial
     * @throws ConfigurationException when the space does not go with the options, or the folder with what is asked for
     * @throws java.io.UncheckedIOException when the folder cannot be written
     */
    public SweepResult run(Path output) {
        if (trials < 0 || sideBySide < 0 || halvingRate < 0 || halvingRate == 1) {
            throw new ConfigurationException("the number of trials and of those side by side must be at least 1, and "
                    + "the rate of halving at least 2");
        }
        if (examples.isEmpty() == training.isEmpty()) {
            throw new ConfigurationException("a sweep needs either conversations or a training of its own");
        }
        if (halvingRate > 0 && examples.isEmpty()) {
            throw new ConfigurationException("successive halving is for next-token prediction on conversations");
        }
        return new Sweep(this, output).run();
    }
}
