package io.peft4j.train;

/**
 * What a training is going to do.
 *
 * @param examples number of examples
 * @param tokens tokens of all examples, an epoch
 * @param supervisedTokens tokens that are learned, an epoch
 * @param stepsPerEpoch updates an epoch
 * @param totalSteps updates in all
 * @param trainableParameters number of trainable parameters
 */
public record TrainingPlan(int examples, long tokens, long supervisedTokens, int stepsPerEpoch, long totalSteps,
        long trainableParameters) {
}
