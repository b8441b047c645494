package io.peft4j.core.model;

/**
 * An answer.
 *
 * @param text the new tokens as text, without special tokens
 * @param ids the new token ids, with the stop token where one was reached
 * @param stopReason why generation ended
 * @param promptTokens number of tokens of the prompt
 */
public record Completion(String text, int[] ids, StopReason stopReason, int promptTokens) {
    /** Why generation ended. */
    public enum StopReason {
        /** A stop token was generated. */
        STOP_TOKEN,
        /** The limit of new tokens was reached: the answer may be cut. */
        LENGTH,
        /** The caller cancelled. */
        CANCELLED
    }
}
