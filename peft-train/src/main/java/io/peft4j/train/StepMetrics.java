package io.peft4j.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
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

    /**
     * Where the training stands, for a line of progress: loss and accuracy, or the reward, the tokens of an answer and
     * the share of groups whose answers have one reward, and the divergence where it is measured.
     */
    public String summary() {
        if (!measures.containsKey("reward")) {
            return String.format(Locale.ROOT, "loss %.3f", trainLoss) + (accuracy().isEmpty() ? ""
                    : String.format(Locale.ROOT, ", accuracy %.3f", accuracy().getAsDouble()));
        }
        String rewards = String.format(Locale.ROOT, "reward %.3f, %.0f tokens an answer, %.0f %% of groups equal",
                measures.get("reward"), measures.getOrDefault("completions/mean_length", 0.0),
                100 * measures.getOrDefault("frac_reward_zero_std", 0.0));
        return rewards
                + (measures.containsKey("kl") ? String.format(Locale.ROOT, ", kl %.3f", measures.get("kl")) : "");
    }

    /** Tokens of the examples a second. */
    public double tokensPerSecond() {
        return tokens / seconds;
    }
}
