package io.peft4j.core.model;

import io.peft4j.core.error.Count;
import java.util.List;

/**
 * An answer.
 *
 * @param text the new tokens as text, without special tokens
 * @param ids the new token ids, with the stop token where one was reached
 * @param stopReason why generation ended
 * @param followsConstraint whether the text is one that the constraint of the options allows; false where it was cut
 *     before, by the limit of new tokens, a stop string or the caller. True without a constraint
 * @param promptTokens number of tokens of the prompt
 * @param probabilities how likely each new token was, where that was asked for
 *     ({@link GenerationOptions#withLogProbabilities}), else empty
 */
public record Completion(String text, int[] ids, StopReason stopReason, boolean followsConstraint,
        int promptTokens, List<TokenProbability> probabilities) {
    /**
     * How likely the model held a token of an answer: by its logits alone, before temperature, penalties and
     * constraints.
     *
     * @param id the token
     * @param text the token as text; a part of a character shows as U+FFFD
     * @param logProbability natural logarithm of its probability
     * @param mostLikely the tokens with the largest probabilities, the largest first, as many as were asked for
     */
    public record TokenProbability(int id, String text, double logProbability, List<Alternative> mostLikely) {
        /** Copies the list. */
        public TokenProbability {
            mostLikely = List.copyOf(mostLikely);
        }

        /**
         * A token that could have been.
         *
         * @param id the token
         * @param text the token as text
         * @param logProbability natural logarithm of its probability
         */
        public record Alternative(int id, String text, double logProbability) {
        }
    }

    /** Copies the list. */
    public Completion {
        probabilities = List.copyOf(probabilities);
    }

    /** An answer without a constraint and without the probabilities of its tokens. */
    public Completion(String text, int[] ids, StopReason stopReason, int promptTokens) {
        this(text, ids, stopReason, true, promptTokens, List.of());
    }

    /** The text, how many tokens it has, and why it ended. */
    @Override
    public String toString() {
        return text + " (" + Count.of(ids.length, "token") + ", " + stopReason
                + (followsConstraint ? ")" : ", cut before it conformed to the constraint)");
    }

    /** Why generation ended. */
    public enum StopReason {
        /** A stop token or a stop string was generated, or the constraint allows nothing more. */
        STOP_TOKEN,
        /** The limit of new tokens was reached: the answer may be cut. */
        LENGTH,
        /** The caller cancelled. */
        CANCELLED
    }
}
