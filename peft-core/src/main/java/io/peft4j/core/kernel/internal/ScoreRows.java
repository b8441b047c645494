package io.peft4j.core.kernel.internal;

import java.util.Arrays;

/**
 * The rows of a block of attention scores, [rows, keys] in native memory: softmax and its gradient. Row i is about
 * query {@code firstQuery + i} and sees its first {@code visible + i} keys, at most all; the others get zeros.
 *
 * <p>Several rows are copied to the heap at once, so that the fixed cost of a loop is paid for many elements.
 */
record ScoreRows(Lane lane, long scores, int rows, int keys, int visible) {
    private static final int VALUES = 0;
    private static final int GRADIENTS = 4;

    /** Computes rows {@code first} to {@code last}, whose elements begin at 0. */
    @FunctionalInterface
    private interface Group {
        void run(int first, int last);
    }

    private void forGroups(Group group) {
        int size = Math.max(1, Lane.TILE / keys);
        for (int first = 0; first < rows; first += size) {
            group.run(first, Math.min(rows, first + size));
        }
    }

    private int seen(int row) {
        return Math.max(0, Math.min(keys, visible + row));
    }

    private float[] read(long block, int slot, int first, int last) {
        float[] u = lane.floats(slot, Math.max(Lane.TILE, keys));
        new Elements(block, false).read((long) first * keys, u, (last - first) * keys, lane);
        return u;
    }

    private void write(long block, float[] u, int first, int last) {
        new Elements(block, false).write((long) first * keys, u, (last - first) * keys, lane);
    }

    /** Replaces the scores by probabilities; the log-sum-exp of row i goes to {@code lse[at + i * step]}. */
    void softmax(float[] lse, int at, int step) {
        forGroups((first, last) -> {
            float[] u = read(scores, VALUES, first, last);
            for (int row = first, from = 0; row < last; row++, from += keys) {
                float max = lane.loops().max(u, from, from + seen(row));
                lse[at + row * step] = max;
                RowMath.subtract(u, max, from, from + seen(row));
                Arrays.fill(u, from + seen(row), from + keys, Exponential.LOWEST);
            }
            lane.loops().exponentials(u, 0, (last - first) * keys);
            for (int row = first, from = 0; row < last; row++, from += keys) {
                double sum = lane.loops().sum(u, from, from + seen(row));
                lse[at + row * step] += (float) Math.log(sum);
                RowMath.scale(u, (float) (1 / sum), from, from + seen(row));
                Arrays.fill(u, from + seen(row), from + keys, 0);
            }
            write(scores, u, first, last);
        });
    }

    /**
     * The gradient of rows that hold all keys of their queries: replaces dp, the gradient of the probabilities p, by
     * that of the scores, {@code factor * p * (dp - dot)}, and leaves {@code dot}, the sum of p dp, in {@code dots}.
     */
    void gradientOfAllKeys(long dp, float factor, float[] lse, float[] dots, int at, int step) {
        forGroups((first, last) -> {
            float[] p = probabilities(first, last, lse, at, step);
            float[] d = read(dp, GRADIENTS, first, last);
            for (int row = first, from = 0; row < last; row++, from += keys) {
                dots[at + row * step] = (float) lane.loops().dot(p, d, from, from + seen(row));
                gradient(p, d, dots[at + row * step], factor, from, from + seen(row));
                Arrays.fill(d, from + seen(row), from + keys, 0);
            }
            write(dp, d, first, last);
        });
    }

    /** The same where the rows hold some of the keys and dots are known; the scores are replaced by p. */
    void gradientOfSomeKeys(long dp, float factor, float[] lse, float[] dots, int at, int step) {
        forGroups((first, last) -> {
            float[] p = probabilities(first, last, lse, at, step);
            float[] d = read(dp, GRADIENTS, first, last);
            for (int row = first, from = 0; row < last; row++, from += keys) {
                gradient(p, d, dots[at + row * step], factor, from, from + seen(row));
                Arrays.fill(p, from + seen(row), from + keys, 0);
                Arrays.fill(d, from + seen(row), from + keys, 0);
            }
            write(scores, p, first, last);
            write(dp, d, first, last);
        });
    }

    private float[] probabilities(int first, int last, float[] lse, int at, int step) {
        float[] p = read(scores, VALUES, first, last);
        for (int row = first, from = 0; row < last; row++, from += keys) {
            RowMath.subtract(p, lse[at + row * step], from, from + seen(row));
            Arrays.fill(p, from + seen(row), from + keys, Exponential.LOWEST);
        }
        lane.loops().exponentials(p, 0, (last - first) * keys);
        return p;
    }

    private static void gradient(float[] p, float[] d, float dot, float factor, int from, int to) {
        for (int i = from; i < to; i++) {
            d[i] = factor * p[i] * (d[i] - dot);
        }
    }
}
