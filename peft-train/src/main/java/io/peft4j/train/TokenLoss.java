package io.peft4j.train;

import java.util.Arrays;

/**
 * A loss of the log-probabilities of the learned tokens of some sequences, with its gradient: one of those here, or
 * one's own for {@link TrainingSession#forwardBackward}.
 */
@FunctionalInterface
public interface TokenLoss {
    /**
     * Computes it.
     *
     * @param logProbabilities those of each sequence's learned tokens, in their order
     * @param gradient is filled with the derivatives of the loss by them; all 0 at first
     * @return the loss
     */
    double compute(float[][] logProbabilities, float[][] gradient);

    /** The mean of {@code -log p} over all tokens. */
    static TokenLoss crossEntropy() {
        return (logProbabilities, gradient) -> {
            int tokens = Arrays.stream(logProbabilities).mapToInt(sequence -> sequence.length).sum();
            double sum = 0;
            for (int i = 0; i < gradient.length; i++) {
                for (int t = 0; t < gradient[i].length; t++) {
                    sum -= logProbabilities[i][t] / (double) tokens;
                    gradient[i][t] = -1f / tokens;
                }
            }
            return sum;
        };
    }

    /**
     * The sum over all tokens of {@code -exp(log p - log q) A}, with {@code q} the sampler's probabilities and
     * {@code A} the advantage of each sequence.
     *
     * @param sampled the sampler's log-probabilities, as {@link TrainingSession#logProbabilities} gave them
     * @param advantages one for each sequence
     */
    static TokenLoss importanceSampling(float[][] sampled, double... advantages) {
        return ppo(sampled, advantages, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);
    }

    /**
     * As {@link #importanceSampling}, with the ratio clipped as in PPO: the sum of {@code -min(r A, clip(r, 1 - low,
     * 1 + high) A)}.
     *
     * @param low how far a ratio may fall
     * @param high how far it may rise
     */
    static TokenLoss ppo(float[][] sampled, double[] advantages, double low, double high) {
        return (logProbabilities, gradient) -> {
            double sum = 0;
            for (int i = 0; i < gradient.length; i++) {
                for (int t = 0; t < gradient[i].length; t++) {
                    double ratio = Math.exp(logProbabilities[i][t] - (double) sampled[i][t]);
                    double clipped = Math.max(1 - low, Math.min(1 + high, ratio));
                    boolean counts = ratio * advantages[i] <= clipped * advantages[i];
                    sum -= (counts ? ratio : clipped) * advantages[i];
                    gradient[i][t] = counts ? (float) (-ratio * advantages[i]) : 0;
                }
            }
            return sum;
        };
    }
}
