package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import java.util.Map;

/**
 * How firmly a model is held to what it said before ({@link KeepingObjective}).
 *
 * @param share kept answers for each example of a batch; default 0.25
 * @param weight what their mean loss counts beside that of the examples; default 0.3
 * @param by what is minimized along them
 * @param mostTokens the most tokens of a kept answer; default 48
 */
@With
public record KeepingOptions(@Option(range = "(0,100]", called = "the share of kept answers") double share,
        @Option(range = "(0,)", called = "the weight of kept answers") double weight, By by,
        @Option(range = "[1,)", called = "the most tokens of a kept answer") int mostTokens)
        implements
            KeepingOptionsWith {
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
        KeepingOptionsWith.check(share, weight, by, mostTokens);
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
