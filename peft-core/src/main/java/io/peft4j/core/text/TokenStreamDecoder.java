package io.peft4j.core.text;

import io.peft4j.core.Internal;
import java.util.Arrays;

/**
 * Turns tokens into text one by one, for streaming.
 *
 * <p>A token may hold a part of a character only, and what a token decodes to may depend on the token before it. So
 * each step decodes a short window of ids twice, without and with the new ones, and gives the difference; while the end
 * of the text is an incomplete character it gives nothing. The pieces joined are the text of the whole sequence.
 *
 * <p>One instance serves one sequence and one thread.
 */
@Internal(shared = true)
public final class TokenStreamDecoder {
    /** A character has at most 4 bytes; more tokens than this that decode to nothing valid will never become valid. */
    private static final int MAX_PENDING = 12;
    private static final char REPLACEMENT = '\uFFFD';

    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private int[] window = new int[64];
    private int size;
    private int emitted;
    private String emittedText = "";

    TokenStreamDecoder(Tokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
    }

    /** Takes the next token and returns the text that it completes; empty while a character is incomplete. */
    public String accept(int id) {
        append(id);
        String text = tokenizer.decode(Arrays.copyOf(window, size), skipSpecial);
        boolean incomplete = !text.isEmpty() && text.charAt(text.length() - 1) == REPLACEMENT;
        if (incomplete && size - emitted < MAX_PENDING) {
            return "";
        }
        return emit(text);
    }

    /** Ends the sequence and returns what was held back. The decoder may be used for a new sequence afterwards. */
    public String finish() {
        String rest = "";
        if (size > emitted) {
            rest = emit(tokenizer.decode(Arrays.copyOf(window, size), skipSpecial));
        }
        size = 0;
        emitted = 0;
        emittedText = "";
        return rest;
    }

    /** Gives what the text has beyond the part given before, and keeps only the newest ids as context. */
    private String emit(String text) {
        String piece = text.startsWith(emittedText) ? text.substring(emittedText.length()) : "";
        if (piece.isEmpty()) {
            emitted = size;
            return "";
        }
        System.arraycopy(window, emitted, window, 0, size - emitted);
        size -= emitted;
        emitted = size;
        emittedText = tokenizer.decode(Arrays.copyOf(window, size), skipSpecial);
        return piece;
    }

    private void append(int id) {
        if (size == window.length) {
            window = Arrays.copyOf(window, size * 2);
        }
        window[size++] = id;
    }
}
