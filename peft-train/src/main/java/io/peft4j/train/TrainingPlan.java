package io.peft4j.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a training is going to do.
 *
 * @param examples number of examples that are trained on
 * @param leftOut number of examples that are not: longer than the limit, or without a supervised token
 * @param tokens tokens of all examples, an epoch
 * @param supervisedTokens tokens that are learned, an epoch
 * @param stepsPerEpoch updates an epoch
 * @param totalSteps updates in all, the most there are where the training ends when it has learned
 * @param doneSteps updates that were done before, where a training is resumed; else 0
 * @param trainableParameters number of trainable parameters
 * @param settings what decides the course of the training, by name: options, base model, adapter and kernels; examples
 *     and weights stand as hashes
 * @param chosen which of these numbers rules have chosen, and why, in one line; empty where all were given
 */
public record TrainingPlan(int examples, int leftOut, long tokens, long supervisedTokens, int stepsPerEpoch,
        long totalSteps, long doneSteps, long trainableParameters, Map<String, String> settings, String chosen) {
    /** Whether the training may end before {@link #totalSteps}, when it has learned. */
    public boolean isOpen() {
        return settings.containsKey("learned_share");
    }

    /** Copies the settings in their order. */
    public TrainingPlan {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }
}
