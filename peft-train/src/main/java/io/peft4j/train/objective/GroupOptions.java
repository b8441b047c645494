package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import java.util.Arrays;
import java.util.Locale;

/**
 * The options of {@link GroupObjective}. A loss is a mean over the answers of an update; {@code A} is the advantage of
 * an answer over the others of its group, {@code p} the log-probability of a token, {@code r} that of the reference.
 *
 * @param loss the loss; default {@link Loss#DAPO} for {@code grpo}
 * @param scaleRewards whether advantages are divided by the standard deviation of the group's rewards plus 1e-4;
 *     default true. Not for {@link Loss#RLOO}
 * @param beta how firmly the model is held to the reference, 0 or more; default 0 for {@code grpo}, 0.05 for
 *     {@code rloo}
 * @param reference what it is held to; default {@link Reference#BASE}
 * @param maxCompletionLength the most tokens of an answer, what is longer is cut; default 256
 * @param masksCut whether answers that were cut are left out of the loss; default false
 */
@With
public record GroupOptions(Loss loss, boolean scaleRewards, @Option(range = "[0,)") double beta, Reference reference,
        @Option(range = "[1,)", called = "the most tokens of an answer") int maxCompletionLength,
        boolean masksCut) implements GroupOptionsWith {
    /** The most tokens of an answer, by default. */
    public static final int USUAL_LENGTH = 256;

    /** The losses, as TRL has them. */
    public enum Loss {
        /**
         * The mean over the tokens of each answer of {@code -A + beta (exp(r - p) - (r - p) - 1)}, with {@code A} the
         * reward less the group's mean (<a href="https://arxiv.org/abs/2402.03300">2402.03300</a>). The gradient of
         * the second term is that of the reverse KL divergence (<a
         * href="https://arxiv.org/abs/2512.02556">2512.02556</a>).
         */
        GRPO,
        /**
         * The same summed over tokens and divided by {@code maxCompletionLength}, so that long wrong answers are not
         * favoured (<a href="https://arxiv.org/abs/2503.20783">2503.20783</a>).
         */
        DR_GRPO,
        /** The mean over all tokens of all answers (<a href="https://arxiv.org/abs/2503.14476">2503.14476</a>). */
        DAPO,
        /**
         * {@code -A} times the log-probability of each answer, with {@code A} the reward less {@code beta} times the
         * summed {@code p - r}, less the mean of the group's others (<a
         * href="https://arxiv.org/abs/2402.14740">2402.14740</a>).
         */
        RLOO;

        /** The name on the command line. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** The loss of a name in lower case, one of {@code grpo}. */
        static Loss named(String name) {
            return Arrays.stream(values()).filter(value -> value != RLOO && value.toString().equals(name)).findFirst()
                    .orElseThrow(() -> new ConfigurationException("unknown loss type '" + name
                            + "'; use one of [grpo, dr_grpo, dapo]"));
        }
    }

    /** Checks the ranges. */
    public GroupOptions {
        GroupOptionsWith.check(loss, beta, reference, maxCompletionLength);
    }

    /** The defaults of {@code grpo}. */
    public static GroupOptions grpo() {
        return new GroupOptions(Loss.DAPO, true, 0, Reference.BASE, USUAL_LENGTH, false);
    }

    /** The defaults of {@code rloo}. */
    public static GroupOptions rloo() {
        return new GroupOptions(Loss.RLOO, false, 0.05, Reference.BASE, USUAL_LENGTH, false);
    }

    /** The same with another limit of an answer, and with answers that it cuts left out of the loss or not. */
    public GroupOptions withMaxCompletionLength(int tokens, boolean masksCutAnswers) {
        return new GroupOptions(loss, scaleRewards, beta, reference, tokens, masksCutAnswers);
    }
}
