package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import java.util.Arrays;
import java.util.Locale;

/**
 * The options of {@link DpoObjective}.
 *
 * @param beta how firmly the model is held to the reference, above 0: higher means nearer; default 0.1
 * @param loss the form of the loss; default {@link Loss#SIGMOID}
 * @param labelSmoothing the share of pairs that is taken to be the wrong way round, from 0 to below 0.5; default 0, and
 *     without a meaning for {@link Loss#IPO}
 * @param reference what the model is held against; default {@link Reference#BASE}
 */
@With
public record DpoOptions(@Option(range = "(0,)") double beta, Loss loss,
        @Option(range = "[0,0.5)", called = "the label smoothing") double labelSmoothing,
        Reference reference) implements DpoOptionsWith {
    /** The forms of the loss. {@code d} is the difference of both answers' log-probabilities over the reference's. */
    public enum Loss {
        /**
         * {@code -(1 - s) log sigmoid(beta d) - s log sigmoid(-beta d)} with the label smoothing s (<a
         * href="https://arxiv.org/abs/2305.18290">2305.18290</a>, its appendix for s).
         */
        SIGMOID,
        /**
         * {@code (d' - 1 / (2 beta))^2}, in d' the log-probabilities over the reference are means over the tokens of
         * each answer (<a href="https://arxiv.org/abs/2310.12036">2310.12036</a>).
         */
        IPO,
        /**
         * {@code (-(1 - s) log sigmoid(beta d) + s log sigmoid(-beta d)) / (1 - 2 s)}, which is free of bias where a
         * share s of the pairs is the wrong way round (<a href="https://arxiv.org/abs/2403.00409">2403.00409</a>).
         */
        ROBUST;

        /** The name on the command line. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** The loss of a name in lower case. */
        public static Loss named(String name) {
            return Arrays.stream(values()).filter(value -> value.toString().equals(name)).findFirst()
                    .orElseThrow(() -> new ConfigurationException("unknown loss '" + name + "'; use one of "
                            + Arrays.toString(values())));
        }
    }

    /** Checks the ranges. */
    public DpoOptions {
        DpoOptionsWith.check(beta, loss, labelSmoothing, reference);
        if (loss == Loss.IPO && labelSmoothing != 0) {
            throw new ConfigurationException("the loss ipo has no label smoothing; leave it at 0, or use the loss "
                    + Loss.SIGMOID + " or " + Loss.ROBUST);
        }
    }

    static double requireAboveZero(String name, double value) {
        if (value > 0 && value < Double.POSITIVE_INFINITY) {
            return value;
        }
        throw new ConfigurationException(name + " is " + value + "; it must be above 0");
    }

    static void requireSmoothing(double value) {
        if (!(value >= 0 && value < 0.5)) {
            throw new ConfigurationException("the label smoothing is " + value + "; it must be 0 or more, and below "
                    + "0.5");
        }
    }

    /** The defaults. */
    public static DpoOptions defaults() {
        return new DpoOptions(0.1, Loss.SIGMOID, 0, Reference.BASE);
    }
}
