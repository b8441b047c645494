package io.peft4j.models.generation;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.NonFiniteException;
import io.peft4j.core.model.Completion.TokenProbability;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.IntFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The logits that follow a sequence, one for each token of the vocabulary; to be read before the next step. */
final class Logits {
    private static final int TILE = 4096;

    private final INDArray rows;
    private final int row;
    private final Scratch scratch;

    /** Memory that the logits of many rows and steps share. */
    static final class Scratch {
        private final float[] tile = new float[TILE];
        private float[] whole = new float[0];
    }

    /** Row {@code row} of a matrix [N, V]. */
    Logits(INDArray rows, int row, Scratch scratch) {
        this.rows = rows;
        this.row = row;
        this.scratch = scratch;
    }

    /** V. */
    int size() {
        return Arrays.columns(rows);
    }

    /**
     * The token with the largest logit, of equal ones the lowest id.
     *
     * @throws NonFiniteException as {@link #requireFinite}
     */
    int mostLikely() {
        int best = 0;
        float most = Float.NEGATIVE_INFINITY;
        float[] tile = scratch.tile;
        for (int from = 0; from < size(); from += TILE) {
            int count = Math.min(TILE, size() - from);
            Arrays.read(rows, (long) row * size() + from, tile, 0, count);
            float max = max(tile, count);
            if (max > most) {
                most = max;
                best = from + indexOf(tile, max);
            }
        }
        requireFinite(most);
        return best;
    }

    /** As {@link #mostLikely()}, among values that were read. */
    static int mostLikely(float... values) {
        float max = max(values, values.length);
        return max == Float.NEGATIVE_INFINITY ? 0 : indexOf(values, max);
    }

    /** Checks the largest logit. */
    private static void requireFinite(float largest) {
        if (!Float.isFinite(largest)) {
            throw new NonFiniteException("the model's output is non-finite, so there is no answer: weights of the "
                    + "adapter or the model are too large, or its training diverged");
        }
    }

    /**
     * As {@link #values}.
     *
     * @throws NonFiniteException when none is a number, or one is infinite
     */
    float[] finite() {
        float[] values = values();
        requireFinite(max(values, values.length));
        return values;
    }

    /** All of them in an array that the next call overwrites. */
    float[] values() {
        if (scratch.whole.length != size()) {
            scratch.whole = new float[size()];
        }
        Arrays.read(rows, (long) row * size(), scratch.whole, 0, size());
        return scratch.whole;
    }

    /**
     * How likely a token is, and which are the most likely ones.
     *
     * @param texts gives the text of a token
     */
    TokenProbability probability(int token, int mostLikely, IntFunction<String> texts) {
        float[] values = values();
        double normalizer = logSumExp(values);
        PriorityQueue<Integer> best = new PriorityQueue<>(
                Comparator.comparingDouble((Integer id) -> values[id]).thenComparing(Comparator.reverseOrder()));
        for (int id = 0; id < values.length && mostLikely > 0; id++) {
            if (best.size() < mostLikely) {
                best.add(id);
            } else if (values[id] > values[best.peek()]) {
                best.poll();
                best.add(id);
            }
        }
        List<TokenProbability.Alternative> alternatives = best.stream().sorted(best.comparator().reversed())
                .map(id -> new TokenProbability.Alternative(id, texts.apply(id), values[id] - normalizer)).toList();
        return new TokenProbability(token, texts.apply(token), values[token] - normalizer, alternatives);
    }

    /** The logarithm of the sum of the exponentials. */
    static double logSumExp(float... values) {
        double max = max(values, values.length);
        double sum = 0;
        for (float value : values) {
            sum += Math.exp(value - max);
        }
        return max + Math.log(sum);
    }

    /** The largest number among the first {@code count} values; four at a time, since each waits for the last. */
    static float max(float[] values, int count) {
        float a = Float.NEGATIVE_INFINITY;
        float b = a;
        float c = a;
        float d = a;
        int i = 0;
        for (; i + 3 < count; i += 4) {
            a = values[i] > a ? values[i] : a;
            b = values[i + 1] > b ? values[i + 1] : b;
            c = values[i + 2] > c ? values[i + 2] : c;
            d = values[i + 3] > d ? values[i + 3] : d;
        }
        for (; i < count; i++) {
            a = values[i] > a ? values[i] : a;
        }
        a = b > a ? b : a;
        c = d > c ? d : c;
        return c > a ? c : a;
    }

    private static int indexOf(float[] values, float value) {
        int i = 0;
        while (values[i] != value) {
            i++;
        }
        return i;
    }
}
