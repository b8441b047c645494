package io.peft4j.feedback;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.train.TrainingOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Collects what a tuner needs. */
public final class FeedbackTunerBuilder {
    final PeftModel model;
    final String adapter;
    final FeedbackStore feedback;
    final Path folder;
    ChatDataset replayed = ChatDataset.of(List.of());
    List<EvaluationItem> golden = List.of();
    int minimum = 20;
    double heldOut = 0.2;
    Optional<Duration> timeBudget = Optional.empty();
    GenerationOptions generation = GenerationOptions.defaults();
    Optional<GuardSet> guard = Optional.of(GuardSet.builtIn());
    TrainingOptions training = TrainingOptions.defaults();

    FeedbackTunerBuilder(PeftModel model, String adapter, FeedbackStore feedback, Path folder) {
        this.model = Objects.requireNonNull(model, "model");
        this.adapter = Objects.requireNonNull(adapter, "adapter");
        this.feedback = Objects.requireNonNull(feedback, "feedback");
        this.folder = Objects.requireNonNull(folder, "folder");
        if (!model.adapterNames().contains(adapter)) {
            throw new ConfigurationException("the model has no adapter '" + adapter + "' to tune, only "
                    + model.adapterNames());
        }
    }

    /** What the adapter has learned before: learned again beside the feedback, so that it is not forgotten. */
    public FeedbackTunerBuilder replaying(ChatDataset data) {
        replayed = data;
        return this;
    }

    /** Questions that must go on being answered; both adapters are asked them beside the feedback that is held out. */
    public FeedbackTunerBuilder golden(List<EvaluationItem> questions) {
        golden = List.copyOf(questions);
        return this;
    }

    /** How many examples that the last round has not seen make a round worthwhile; default 20. */
    public FeedbackTunerBuilder minimum(int examples) {
        if (examples < 1) {
            throw new ConfigurationException("a round needs at least 1 new example, got " + examples);
        }
        minimum = examples;
        return this;
    }

    /** The share of feedback that is never learned, but tested with; default 0.2, above 0 and below 1. */
    public FeedbackTunerBuilder heldOut(double share) {
        if (!(share > 0 && share < 1)) {
            throw new ConfigurationException("the share that is held out must be above 0 and below 1, got " + share);
        }
        heldOut = share;
        return this;
    }

    /** The time that a training may take; what it has learned until then is tested. Default: until its end. */
    public FeedbackTunerBuilder timeBudget(Duration time) {
        if (time.isNegative() || time.isZero()) {
            throw new ConfigurationException("the time budget must be positive, got " + time);
        }
        timeBudget = Optional.of(time);
        return this;
    }

    /** How both adapters answer in the test. */
    public FeedbackTunerBuilder generation(GenerationOptions options) {
        generation = Objects.requireNonNull(options, "generation");
        return this;
    }

    /** Other general questions that the new adapter is held to, beside the golden ones; default: the built-in ones. */
    public FeedbackTunerBuilder guard(GuardSet set) {
        guard = Optional.of(set);
        return this;
    }

    /** Holds the new adapter to the golden questions alone: what else it harms is not known, and does not count. */
    public FeedbackTunerBuilder withoutGuard() {
        guard = Optional.empty();
        return this;
    }

    /** What each training is asked for; default: what rules choose. */
    public FeedbackTunerBuilder training(TrainingOptions options) {
        training = Objects.requireNonNull(options, "training");
        return this;
    }

    /**
     * The tuner. If the folder has a current version, that takes the place of the model's adapter; else the adapter is
     * saved as the first.
     */
    public FeedbackTuner build() {
        return new FeedbackTuner(this);
    }
}
