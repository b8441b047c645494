package io.peft4j.core.model;

import java.nio.charset.StandardCharsets;

/**
 * What an answer may look like: a deterministic automaton over the bytes of its text in UTF-8. In every state that can
 * be reached, the text so far can still become a valid one; so whoever only takes steps that exist ends with a valid
 * text, unless he stops too early. Immutable, and of use for any number of answers at once.
 */
public interface TextConstraint {
    /** What {@link #step} gives where no valid text continues like this. */
    int NONE = -1;

    /** The state of an empty text. */
    int start();

    /**
     * The state after one more byte, or {@link #NONE}.
     *
     * @param state a state that {@link #start} or this method gave
     * @param value the byte, 0 to 255
     */
    int step(int state, int value);

    /** Whether the text may end here. */
    boolean mayEnd(int state);

    /** Whether the text may go on. */
    boolean mayGoOn(int state);

    /** Whether a whole text is valid. */
    default boolean allows(String text) {
        int state = start();
        for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
            state = step(state, value & 0xFF);
            if (state == NONE) {
                return false;
            }
        }
        return mayEnd(state);
    }

    /** Bytes of memory that it takes now; it may take more while texts are followed. */
    default long bytes() {
        return 0;
    }

    /** What it allows, for messages, and to tell two of them apart: a regular expression, a schema. */
    String description();
}
