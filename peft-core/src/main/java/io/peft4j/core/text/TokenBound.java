package io.peft4j.core.text;

import java.util.function.Function;

/**
 * Tells that a text is far too long before all of it is tokenized, which takes some 400 bytes of memory a character:
 * pieces of it are, until they have more tokens than the text may have. What cannot fit costs little more than what
 * fits.
 */
public final class TokenBound {
    /** Characters up to which a text is not looked at: it is tokenized as fast as that would take. */
    public static final int LONG = 1 << 16;
    /** Tokens that a cut may add, on both of its sides together, and special ones that come with each piece. */
    private static final int AT_A_CUT = 256;

    private TokenBound() {
    }

    /**
     * A number of tokens above {@code most} that a text has at least; 0 where it may have {@code most} or fewer, and
     * of texts of up to {@value #LONG} characters.
     *
     * @param most the most tokens that are wanted
     * @param encoding tokenizes a piece; may throw to give up
     */
    public static int beyond(String text, int most, Function<String, int[]> encoding) {
        if (text.length() <= LONG) {
            return 0;
        }
        int tokens = 0;
        int from = 0;
        while (from < text.length()) {
            int end = Math.min(text.length(), from + LONG);
            end -= end < text.length() && Character.isHighSurrogate(text.charAt(end - 1)) ? 1 : 0;
            tokens += Math.max(0, encoding.apply(text.substring(from, end)).length - AT_A_CUT);
            if (tokens > most) {
                return tokens;
            }
            from = end;
        }
        return 0;
    }
}
