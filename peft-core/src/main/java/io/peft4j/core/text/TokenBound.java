package io.peft4j.core.text;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Tokenizes long texts in pieces, between which it can be given up: tokenizing takes some 400 bytes of memory a
 * character. What cannot fit costs little more than what fits.
 */
@Internal(shared = true)
public final class TokenBound {
    /** Characters up to which a text is not looked at: it is tokenized as fast as that would take. */
    public static final int LONG = 1 << 16;
    /** Characters before the end of a piece among which the place of a cut is looked for. */
    private static final int NEAR = 1 << 12;
    /** Characters on each side of a cut that must have the same tokens cut and whole. */
    private static final int WINDOW = 128;
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

    /**
     * The tokens of a text. A long one is cut between two words into pieces of up to {@value #LONG} characters; where
     * there are no words, or a tokenizer's tokens reach over the cut, it is tokenized as a whole.
     *
     * @param encoding tokenizes a piece; may throw to give up
     */
    public static int[] of(String text, Function<String, int[]> encoding) {
        List<int[]> pieces = new ArrayList<>();
        int from = 0;
        while (text.length() - from > LONG) {
            int cut = cut(text, from + LONG, encoding);
            if (cut == 0) {
                return encoding.apply(text);
            }
            pieces.add(encoding.apply(text.substring(from, cut)));
            from = cut;
        }
        pieces.add(encoding.apply(text.substring(from)));
        return joined(pieces);
    }

    private static int[] joined(List<int[]> pieces) {
        return pieces.stream().flatMapToInt(IntStream::of).toArray();
    }

    /** The last place before {@code end} between a word and the space before the next; 0 where none can be cut. */
    private static int cut(String text, int end, Function<String, int[]> encoding) {
        for (int at = end - 2; at > end - NEAR; at--) {
            if (text.charAt(at) == ' ' && Character.isLetter(text.charAt(at - 1))
                    && Character.isLetter(text.charAt(at + 1))) {
                int from = at - WINDOW + (Character.isLowSurrogate(text.charAt(at - WINDOW)) ? 1 : 0);
                int to = Math.min(text.length(), at + WINDOW);
                to -= Character.isHighSurrogate(text.charAt(to - 1)) ? 1 : 0;
                int[] cut = joined(List.of(encoding.apply(text.substring(from, at)),
                        encoding.apply(text.substring(at, to))));
                return Arrays.equals(cut, encoding.apply(text.substring(from, to))) ? at : 0;
            }
        }
        return 0;
    }
}
