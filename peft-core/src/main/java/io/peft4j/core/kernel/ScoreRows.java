package io.peft4j.core.kernel;

import java.util.Arrays;

/**
 * The rows of a block of attention scores, [rows, keys] in native memory, of one head: softmax and its gradient. The
 * scores come as products of queries and keys times {@link ScoreRules#factor}. Row i is about query {@code first + i}
 * of a segment, and column j about the segment's key number {@code firstKey + j}; keys that the query does not see get
 * zeros.
 *
 * <p>Several rows are copied to the heap at once, so that the fixed cost of a loop is paid for many elements.
 */
record ScoreRows(ThreadScratch lane, long scores, int rows, int keys, SeenKeys seen, int first, int firstKey, int head,
        ScoreRules rules) {
    private static final int VALUES = 0;
    private static final int TANGENTS = 1;
    private static final int GRADIENTS = 4;

    /** Computes rows {@code first} to {@code last}, whose elements begin at 0. */
    @FunctionalInterface
    private interface Group {
        void run(int first, int last);
    }

    private void forGroups(Group group) {
        int size = Math.max(1, ThreadScratch.TILE / keys);
        for (int row = 0; row < rows; row += size) {
            group.run(row, Math.min(rows, row + size));
        }
    }

    private int from(int row) {
        return Math.max(0, Math.min(keys, seen.from()[first + row] - firstKey));
    }

    private int to(int row) {
        return Math.max(from(row), Math.min(keys, seen.to()[first + row] - firstKey));
    }

    private float[] read(long block, int slot, int row, int last) {
        float[] u = lane.floats(slot, Math.max(ThreadScratch.TILE, keys));
        new Elements(block, false).read((long) row * keys, u, (last - row) * keys, lane);
        return u;
    }

    private void write(long block, float[] u, int row, int last) {
        new Elements(block, false).write((long) row * keys, u, (last - row) * keys, lane);
    }

    private static void fillHidden(float[] u, int at, int from, int to, int keys, float value) {
        Arrays.fill(u, at, at + from, value);
        Arrays.fill(u, at + to, at + keys, value);
    }

    /** The scores of rows, capped and biased; keeps the tangents if there is a cap. */
    private float[] scores(int row, int last) {
        float[] u = read(scores, VALUES, row, last);
        int count = (last - row) * keys;
        rules.tangents(lane.loops(), u, count);
        if (rules.cap() != 0) {
            System.arraycopy(u, 0, lane.floats(TANGENTS, Math.max(ThreadScratch.TILE, keys)), 0, count);
        }
        rules.scores(u, count);
        for (int i = row, at = 0; i < last; i++, at += keys) {
            rules.addBias(head, firstKey - seen.position() - first - i, u, at, from(i), to(i));
        }
        return u;
    }

    /** Replaces the products by probabilities; the log-sum-exp of row i goes to {@code lse[at + i * step]}. */
    void softmax(float[] lse, int at, int step) {
        forGroups((start, last) -> {
            float[] u = scores(start, last);
            for (int row = start, from = 0; row < last; row++, from += keys) {
                float max = rules.max(head, lane.loops().max(u, from + from(row), from + to(row)));
                lse[at + row * step] = max;
                RowMath.subtract(u, max, from + from(row), from + to(row));
                fillHidden(u, from, from(row), to(row), keys, Exponential.LOWEST);
            }
            lane.loops().exponentials(u, 0, (last - start) * keys);
            for (int row = start, from = 0; row < last; row++, from += keys) {
                float max = lse[at + row * step];
                double sum = lane.loops().sum(u, from + from(row), from + to(row)) + rules.sink(head, max);
                lse[at + row * step] = max + (float) Math.log(sum);
                RowMath.scale(u, (float) (1 / sum), from + from(row), from + to(row));
                fillHidden(u, from, from(row), to(row), keys, 0);
            }
            write(scores, u, start, last);
        });
    }

    /**
     * The gradient of rows that hold all keys of their queries: replaces dp, the gradient of the probabilities p, by
     * that of the products, {@code factor * p * (dp - dot)} times the slope of the cap, and leaves {@code dot}, the sum
     * of p dp, in {@code dots}.
     */
    void gradientOfAllKeys(long dp, float factor, float[] lse, float[] dots, int at, int step) {
        forGroups((start, last) -> {
            float[] p = probabilities(start, last, lse, at, step);
            float[] d = read(dp, GRADIENTS, start, last);
            for (int row = start, from = 0; row < last; row++, from += keys) {
                dots[at + row * step] = (float) lane.loops().dot(p, d, from + from(row), from + to(row));
                gradient(p, d, dots[at + row * step], factor, from, row);
            }
            rules.capBackward(d, lane.floats(TANGENTS, 0), (last - start) * keys);
            write(dp, d, start, last);
        });
    }

    /** The same where the rows hold some of the keys and dots are known; the scores are replaced by p. */
    void gradientOfSomeKeys(long dp, float factor, float[] lse, float[] dots, int at, int step) {
        forGroups((start, last) -> {
            float[] p = probabilities(start, last, lse, at, step);
            float[] d = read(dp, GRADIENTS, start, last);
            for (int row = start, from = 0; row < last; row++, from += keys) {
                gradient(p, d, dots[at + row * step], factor, from, row);
                fillHidden(p, from, from(row), to(row), keys, 0);
            }
            rules.capBackward(d, lane.floats(TANGENTS, 0), (last - start) * keys);
            write(scores, p, start, last);
            write(dp, d, start, last);
        });
    }

    private float[] probabilities(int start, int last, float[] lse, int at, int step) {
        float[] p = scores(start, last);
        for (int row = start, from = 0; row < last; row++, from += keys) {
            RowMath.subtract(p, lse[at + row * step], from + from(row), from + to(row));
            fillHidden(p, from, from(row), to(row), keys, Exponential.LOWEST);
        }
        lane.loops().exponentials(p, 0, (last - start) * keys);
        return p;
    }

    private void gradient(float[] p, float[] d, float dot, float factor, int from, int row) {
        for (int i = from + from(row); i < from + to(row); i++) {
            d[i] = factor * p[i] * (d[i] - dot);
        }
        fillHidden(d, from, from(row), to(row), keys, 0);
    }
}
