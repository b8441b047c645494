package io.peft4j.core.kernel;

import io.peft4j.core.kernel.AttentionLayout.Segment;

/**
 * Which of its keys each query of a segment sees, by their numbers.
 *
 * @param from the first, for each query
 * @param to the one after the last, for each query
 * @param position the key of the first query
 */
record SeenKeys(Segment segment, int[] from, int[] to, int position) {
    static SeenKeys of(Segment segment) {
        int[] from = new int[segment.queries()];
        int[] to = new int[from.length];
        for (int i = 0; i < from.length; i++) {
            from[i] = segment.seenFrom(i);
            to[i] = segment.seenTo(i);
        }
        return new SeenKeys(segment, from, to, segment.position(0));
    }

    /** The first query that sees a key of number {@code firstKey} or more. */
    int firstQuery(int firstKey) {
        int i = 0;
        while (i < to.length && to[i] <= firstKey) {
            i++;
        }
        return i;
    }

    /** The query after the last that sees a key below number {@code endKey}. */
    int endQuery(int endKey) {
        int i = from.length;
        while (i > 0 && from[i - 1] >= endKey) {
            i--;
        }
        return i;
    }
}
