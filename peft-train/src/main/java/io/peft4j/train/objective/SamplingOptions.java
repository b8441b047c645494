package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Sampling;

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
public record SamplingOptions(int groupSize, double temperature, double topP, String grader,
        boolean endsOnCollapse) {
    /** Checks the ranges. */
    public SamplingOptions {
        if (groupSize < 2) {
            throw new ConfigurationException("the group size is " + groupSize + "; it must be at least 2, since "
                    + "rewards are compared");
        }
        if (!(temperature > 0)) {
            throw new ConfigurationException("the sampling temperature is " + temperature + "; it must be above 0, "
                    + "since equal answers teach nothing");
        }
        // The others are checked where they are used.
        Sampling.of(temperature, 0).withTopP(topP);
    }

    /** Groups of 8 at temperature 1. */
    public static SamplingOptions defaults() {
        return new SamplingOptions(8, 1, 1, "", true);
    }

    /** The same with another number of answers to each prompt. */
    public SamplingOptions withGroupSize(int size) {
        return new SamplingOptions(size, temperature, topP, grader, endsOnCollapse);
    }

    /** The same with other draws. */
    public SamplingOptions withDraws(double newTemperature, double newTopP) {
        return new SamplingOptions(groupSize, newTemperature, newTopP, grader, endsOnCollapse);
    }

    /** The same for a grader that this tells from others. */
    public SamplingOptions withGrader(String name) {
        return new SamplingOptions(groupSize, temperature, topP, name, endsOnCollapse);
    }

    /** The same with the end of a training that collapses, or only a warning. */
    public SamplingOptions withEndOnCollapse(boolean ends) {
        return new SamplingOptions(groupSize, temperature, topP, grader, ends);
    }
}
