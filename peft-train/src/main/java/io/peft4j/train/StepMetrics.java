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
 * @param measures what the objective measures besides its loss, by name, and {@value #LEARNED_ROWS} where it tells
 *     what is learned
 * @param fewestSteps the fewest updates that the training has in all, by its present state
 * @param mostSteps the most updates that it has in all; the same where its end is decided, 0 where it is not known
 */
public record StepMetrics(long step, double epoch, double trainLoss, double learningRate, double gradNorm, long tokens,
        long supervisedTokens, double seconds, double secondsLeft, Map<String, Double> measures,
        long fewestSteps, long mostSteps) {
    /** The measure that counts the rows that were right when they were seen last. */
    public static final String LEARNED_ROWS = "learned_rows";

    /** Copies the measures in their order. */
    public StepMetrics {
        measures = Collections.unmodifiableMap(new LinkedHashMap<>(measures));
    }

    /** Figures where the end of the training is of no interest. */
    public StepMetrics(long step, double epoch, double trainLoss, double learningRate, double gradNorm, long tokens,
            long supervisedTokens, double seconds, double secondsLeft, Map<String, Double> measures) {
        this(step, epoch, trainLoss, learningRate, gradNorm, tokens, supervisedTokens, seconds, secondsLeft, measures,
                0, 0);
    }

    /** Figures without measures. */
    public StepMetrics(long step, double epoch, double trainLoss, double learningRate, double gradNorm, long tokens,
            long supervisedTokens, double seconds, double secondsLeft) {
        this(step, epoch, trainLoss, learningRate, gradNorm, tokens, supervisedTokens, seconds, secondsLeft, Map.of());
    }

    /** How long the rest takes at least; {@link #secondsLeft} is the most. */
    public double leastSecondsLeft() {
        return mostSteps <= step ? 0 : secondsLeft * ((double) (fewestSteps - step) / (mostSteps - step));
    }

    /** The share of right answers, where the objective measures it ({@code accuracy}). */
    public OptionalDouble accuracy() {
        return TrainingResult.accuracyOf(measures);
    }

    /**
     * The state of the training, for a line of progress: loss and accuracy, or the reward, the tokens of an answer and
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
