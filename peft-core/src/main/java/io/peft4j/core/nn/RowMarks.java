package io.peft4j.core.nn;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * What rows of a batch are marked with, beside token and position.
 *
 * @param groups the group of each row; empty where all are of group 0
 * @param invoked whether adapters that wait for an invocation work on each row; empty where they do on all
 * @param virtualTokens rows without a token: they stand for virtual tokens 0, 1, ...; empty where there are none, else
 *     -1 for others
 * @param types which text of its sequence each row belongs to; empty where all belong to text 0
 * @param lengths the length of each row's sequence; empty where its segment ends with it
 * @param tasks the task of each row; empty where none names one
 */
record RowMarks(int[] groups, boolean[] invoked, int[] virtualTokens, int[] types, int[] lengths, int[] tasks) {
    private static final int[] ALL = {};
    static final RowMarks NONE = new RowMarks(ALL, new boolean[0], ALL, ALL, ALL, ALL);

    RowMarks withGroups(int[] newGroups) {
        return new RowMarks(newGroups, invoked, virtualTokens, types, lengths, tasks);
    }

    RowMarks withInvoked(boolean[] rows) {
        return new RowMarks(groups, rows, virtualTokens, types, lengths, tasks);
    }

    RowMarks withLengths(int[] rows) {
        return new RowMarks(groups, invoked, virtualTokens, types, rows, tasks);
    }

    RowMarks withVirtualTokens(int[] rows) {
        return new RowMarks(groups, invoked, rows, types, lengths, tasks);
    }

    RowMarks withTasks(int[] rows) {
        return new RowMarks(groups, invoked, virtualTokens, types, lengths, rows);
    }

    /** The rows with each mark that is there, by ascending mark. */
    static Map<Integer, int[]> rowsBy(int count, IntUnaryOperator mark) {
        Map<Integer, IntStream.Builder> rows = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            rows.computeIfAbsent(mark.applyAsInt(i), each -> IntStream.builder()).add(i);
        }
        Map<Integer, int[]> arrays = new LinkedHashMap<>();
        rows.forEach((each, own) -> arrays.put(each, own.build().toArray()));
        return arrays;
    }

    void requireRows(int rows) {
        for (int length : new int[] {groups.length, invoked.length, virtualTokens.length, types.length,
            lengths.length, tasks.length}) {
            if (length != 0 && length != rows) {
                throw new IllegalArgumentException(length + " marks for " + rows + " rows");
            }
        }
    }

    RowMarks select(int... rows) {
        return new RowMarks(groups.length == 0 ? groups : take(groups, rows),
                invoked.length == 0 ? invoked : take(invoked, rows),
                virtualTokens.length == 0 ? virtualTokens : take(virtualTokens, rows),
                types.length == 0 ? types : take(types, rows),
                lengths.length == 0 ? lengths : take(lengths, rows),
                tasks.length == 0 ? tasks : take(tasks, rows));
    }

    private static boolean[] take(boolean[] values, int[] rows) {
        boolean[] taken = new boolean[rows.length];
        for (int i = 0; i < rows.length; i++) {
            taken[i] = values[rows[i]];
        }
        return taken;
    }

    /**
     * The marks of {@code rows} rows behind virtual ones, which no invocation reaches.
     *
     * @param first for each virtual row the number of its token
     * @param firstTasks for each the task whose rows see it
     */
    RowMarks behindVirtualTokens(int[] first, int[] firstTasks, int rows) {
        int count = first.length;
        int[] numbers = virtualTokens;
        if (numbers.length == 0) {
            numbers = new int[rows];
            Arrays.fill(numbers, -1);
        }
        int[] longer = prepend(count, numbers, 0);
        System.arraycopy(first, 0, longer, 0, count);
        int[] all = tasks.length == 0 ? tasks : prepend(count, tasks, 0);
        System.arraycopy(firstTasks, 0, all, 0, Math.min(count, all.length));
        boolean[] reached = invoked;
        if (invoked.length > 0) {
            reached = new boolean[count + rows];
            System.arraycopy(invoked, 0, reached, count, rows);
        }
        return new RowMarks(groups.length == 0 ? groups : prepend(count, groups, 0), reached, longer,
                types.length == 0 ? types : prepend(count, types, 0), ALL, all);
    }

    static int[] plus(int[] values, int summand) {
        return Arrays.stream(values).map(value -> value + summand).toArray();
    }

    /** {@code count} zeros, then the values with {@code summand} added. */
    static int[] prepend(int count, int[] values, int summand) {
        int[] longer = new int[count + values.length];
        for (int i = 0; i < values.length; i++) {
            longer[count + i] = values[i] + summand;
        }
        return longer;
    }

    static int[] take(int[] values, int[] rows) {
        int[] taken = new int[rows.length];
        for (int i = 0; i < rows.length; i++) {
            taken[i] = values[rows[i]];
        }
        return taken;
    }
}
