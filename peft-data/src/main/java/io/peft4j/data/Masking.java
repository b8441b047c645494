package io.peft4j.data;

/** Which tokens of a conversation are learned. */
public enum Masking {
    /**
     * Each message of the assistant with its end-of-turn token, by its weight: the field {@code weight} of the message,
     * 1 where it has none.
     */
    ASSISTANT,
    /**
     * The last message of the assistant alone, by its weight. Also for templates that render earlier turns differently
     * once others follow, such as those that drop earlier reasoning: what is learned then is rendered as the model is
     * asked for it.
     */
    LAST_TURN,
    /** Every token, the user's and the system's included. */
    ALL
}
