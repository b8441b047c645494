package io.peft4j.models.generation;

import java.util.Arrays;

/**
 * Guesses how a sequence goes on: as it went on where its last tokens stood before (prompt lookup decoding). Longer
 * agreements come first, of equally long ones the latest.
 */
final class PromptLookup {
    private static final int LONGEST = 3;
    private static final int SHORTEST = 2;

    private int[] tokens;
    private int length;

    /** A sequence that begins with a prompt. */
    PromptLookup(int[] prompt) {
        tokens = Arrays.copyOf(prompt, prompt.length + 64);
        length = prompt.length;
    }

    /** Takes the next token. */
    void add(int token) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * length);
        }
        tokens[length++] = token;
    }

    /** At most {@code most} tokens that may follow; none where the last tokens are new. */
    int[] guess(int most) {
        for (int n = LONGEST; n >= SHORTEST && most > 0; n--) {
            for (int end = length - 1; end >= n; end--) {
                if (Arrays.equals(tokens, end - n, end, tokens, Math.max(0, length - n), length)) {
                    return Arrays.copyOfRange(tokens, end, Math.min(length, end + most));
                }
            }
        }
        return new int[0];
    }
}
