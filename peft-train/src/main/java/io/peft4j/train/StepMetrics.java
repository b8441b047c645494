package io.peft4j.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The figures of one update.
 *
 * @param step number of the update, from 1
 * @param epoch epochs done after it, for instance 0.25
 * @param trainLoss mean negative log-likelihood of its supervised tokens, before the update
 * @param learningRate the learning rate of the update
 * @param gradNorm norm of the gradients before clipping
 * @param tokens tokens of its examples
 * @param supervisedTokens tokens that were learned
 * @param seconds time it took
 * @param secondsLeft how long the rest of the training takes, an estimate from the speed so far; 0 after the last
 * update
 * @param measures what the objective measures besides its loss, by name
 */
public record StepMetrics(long step, double epoch, double trainLoss, double learningRate, double gradNorm, long tokens,
        long supervisedTokens, double seconds, double secondsLeft, Map<String, Double> measures) {
    /** Copies the measures in their order. */
    public StepMetrics {
        measures = Collections.unmodifiableMap(new LinkedHashMap<>(measures));
    }

    /** Figures without measures. */
    public StepMetrics(long step, double epoch, double trainLoss, double learningRate, double gradNorm, long tokens,
            long supervisedTokens, double seconds, double secondsLeft) {
        this(step, epoch, trainLoss, learningRate, gradNorm, tokens, supervisedTokens, seconds, secondsLeft, Map.of());
    }

    /** The share of right answers, where the objective measures it ({@code accuracy}). */
    public OptionalDouble accuracy() {
        return TrainingResult.accuracyOf(measures);
    }

    /** Tokens of the examples a second. */
    public double tokensPerSecond() {
        return tokens / seconds;
    }
}
