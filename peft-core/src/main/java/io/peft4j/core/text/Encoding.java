package io.peft4j.core.text;

import io.peft4j.core.Internal;

/**
 * The tokens of a text and where each one is in it.
 *
 * <p>Token {@code i} covers {@code text.substring(start[i], end[i])}, counted in UTF-16 units as Java strings are. When
 * a character is spread over several tokens, each of them covers the whole character. A token that was added and stands
 * for no text has {@code start == end}. The arrays are shared, not copied: treat them as read-only.
 *
 * @param ids token ids
 * @param start first UTF-16 index of each token
 * @param end index after the last UTF-16 unit of each token
 */
@Internal(shared = true)
public record Encoding(int[] ids, int[] start, int[] end) {
    /**
     * Checks that the arrays have one length.
     *
     * @throws IllegalArgumentException if they do not
     */
    public Encoding {
        if (ids.length != start.length || ids.length != end.length) {
            throw new IllegalArgumentException("ids, start and end must have one length, but have " + ids.length + ", "
                    + start.length + " and " + end.length);
        }
    }

    /** The number of tokens. */
    public int length() {
        return ids.length;
    }

    @Override
    public String toString() {
        return ids.length + " tokens";
    }
}
