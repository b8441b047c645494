package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import java.util.Map;

/**
 * How firmly a model is held to what it said before ({@link KeepingObjective}).
 *
 * @param share kept answers for each example of a batch; default 0.25
 * @param weight what their mean loss counts beside that of the examples; default 0.3
 * @param by what is minimized along them
 * @param mostTokens the most tokens of a kept answer; default 48
 */
public record KeepingOptions(double share, double weight, By by, int mostTokens) {
    /** What is minimized along kept answers. */
    public enum By {
        /** The divergence of the model from its base, over the whole vocabulary. */
        DIVERGENCE,
        /** The negative log-likelihood of the answers, as if they were rows of the data. */
        ANSWERS
    }

    /**
     * Checks the ranges.
     *
     * @throws ConfigurationException when a number is out of range
     */
    public KeepingOptions {
        if (!(share > 0 && share <= 100)) {
            throw new ConfigurationException("the share of kept answers is " + share + "; it must be above 0");
        }
        if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
            throw new ConfigurationException("the weight of kept answers is " + weight + "; it must be above 0");
        }
        if (mostTokens < 1) {
            throw new ConfigurationException("the most tokens of a kept answer are " + mostTokens
                    + "; they must be at least 1");
        }
    }

    /** The defaults. */
    public static KeepingOptions defaults() {
        return new KeepingOptions(0.25, 0.3, By.DIVERGENCE, 48);
    }

    /** The numbers that change a training, by the names that its checkpoints have. */
    Map<String, String> settings() {
        return Map.of("keep_share", String.valueOf(share), "keep_weight", String.valueOf(weight), "keep_by",
                SelfDistillationOptions.name(by));
    }
}
