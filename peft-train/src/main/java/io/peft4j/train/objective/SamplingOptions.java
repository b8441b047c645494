package io.peft4j.train.objective;

import io.peft4j.core.model.Sampling;
import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;

/**
 * How a model answers prompts of which it learns ({@link SampledObjective}).
 *
 * @param groupSize answers to each prompt, at least 2; default 8
 * @param temperature of the draws, above 0; default 1
 * @param topP draws are among the likeliest tokens of this probability; default 1: all. The learned probabilities are
 *     those of all tokens at temperature 1
 * @param grader what tells this grader from others, for a training that is resumed; default empty
 * @param endsOnCollapse whether the training ends where the reward falls far, or answers grow until they are cut;
 *     default true
 */
@With
public record SamplingOptions(
        @Option(range = "[2,)", called = "the group size", because = ", since rewards are compared") int groupSize,
        @Option(range = "(0,)", called = "the sampling temperature",
                because = ", since equal answers teach nothing") double temperature,
        double topP, String grader,
        boolean endsOnCollapse) implements SamplingOptionsWith {
    /** Checks the ranges. */
    public SamplingOptions {
        SamplingOptionsWith.check(groupSize, temperature, grader);
        // The others are checked where they are used.
        Sampling.of(temperature, 0).withTopP(topP);
    }

    /** Groups of 8 at temperature 1. */
    public static SamplingOptions defaults() {
        return new SamplingOptions(8, 1, 1, "", true);
    }
}
