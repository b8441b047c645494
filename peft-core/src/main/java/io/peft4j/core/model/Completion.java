package io.peft4j.core.model;

import java.util.List;

/**
 * An answer.
 *
 * @param text the new tokens as text, without special tokens
 * @param ids the new token ids, with the stop token where one was reached
 * @param stopReason why generation ended
 * @param promptTokens number of tokens of the prompt
 * @param probabilities how likely each new token was, where that was asked for
 *     ({@link GenerationOptions#withLogProbabilities}), else empty
 */
public record Completion(String text, int[] ids, StopReason stopReason, int promptTokens,
        List<TokenProbability> probabilities) {
    /** Copies the list. */
    public Completion {
        probabilities = List.copyOf(probabilities);
    }

    /** An answer without the probabilities of its tokens. */
    public Completion(String text, int[] ids, StopReason stopReason, int promptTokens) {
        this(text, ids, stopReason, promptTokens, List.of());
    }

    /** The text, how many tokens it has, and why it ended. */
    @Override
    public String toString() {
        return text + " (" + ids.length + " tokens, " + stopReason + ")";
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
