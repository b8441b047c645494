package io.peft4j.core.nn;

import java.util.Arrays;

/**
 * What rows of a batch are marked with, beside token and position.
 *
 * @param groups the group of each row; empty where all are of group 0
 * @param invoked whether adapters that wait for an invocation work on each row; empty where they do on all
 * @param virtualTokens rows without a token: they stand for virtual tokens 0, 1, ...; empty where there are none, else
 *     -1 for others
 * @param types which text of its sequence each row belongs to; empty where all belong to text 0
 * @param lengths the length of each row's sequence; empty where its segment ends with it
 */
record RowMarks(int[] groups, boolean[] invoked, int[] virtualTokens, int[] types, int[] lengths) {
    /** No marks. */
    static final RowMarks NONE = new RowMarks(new int[0], new boolean[0], new int[0], new int[0], new int[0]);

    RowMarks withGroups(int[] newGroups) {
        return new RowMarks(newGroups, invoked, virtualTokens, types, lengths);
    }

    RowMarks withInvoked(boolean[] rows) {
        return new RowMarks(groups, rows, virtualTokens, types, lengths);
    }

    RowMarks withLengths(int[] rows) {
        return new RowMarks(groups, invoked, virtualTokens, types, rows);
    }

    RowMarks withVirtualTokens(int[] rows) {
        return new RowMarks(groups, invoked, rows, types, lengths);
    }

    void requireRows(int rows) {
        for (int length : new int[] {groups.length, invoked.length, virtualTokens.length, types.length,
            lengths.length}) {
            if (length != 0 && length != rows) {
                throw new IllegalArgumentException(length + " marks for " + rows + " rows");
            }
        }
    }

    RowMarks select(int... rows) {
        return new RowMarks(groups.length == 0 ? groups : PackedBatch.take(groups, rows),
                invoked.length == 0 ? invoked : take(invoked, rows),
                virtualTokens.length == 0 ? virtualTokens : PackedBatch.take(virtualTokens, rows),
                types.length == 0 ? types : PackedBatch.take(types, rows),
                lengths.length == 0 ? lengths : PackedBatch.take(lengths, rows));
    }

    private static boolean[] take(boolean[] values, int[] rows) {
        boolean[] taken = new boolean[rows.length];
        for (int i = 0; i < rows.length; i++) {
            taken[i] = values[rows[i]];
        }
        return taken;
    }

    /** The marks of {@code rows} rows behind {@code count} virtual ones, which no invocation reaches. */
    RowMarks behindVirtualTokens(int count, int rows) {
        int[] numbers = virtualTokens;
        if (numbers.length == 0) {
            numbers = new int[rows];
            Arrays.fill(numbers, -1);
        }
        int[] longer = PackedBatch.prepend(count, numbers, 0);
        Arrays.setAll(longer, i -> i < count ? i : longer[i]);
        boolean[] reached = invoked;
        if (invoked.length > 0) {
            reached = new boolean[count + rows];
            System.arraycopy(invoked, 0, reached, count, rows);
        }
        return new RowMarks(groups.length == 0 ? groups : PackedBatch.prepend(count, groups, 0), reached, longer,
                types.length == 0 ? types : PackedBatch.prepend(count, types, 0), new int[0]);
    }
}
