package io.peft4j.core.weight;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Float16;
import java.util.Objects;

/**
 * Rounds floats to blocks of {@link BlockType#Q4_1}: 32 values share a scale d and a minimum m, {@code d * q + m} with
 * q from 0 to 15; 5 bits a value. Of the 4-bit types it keeps most: its 16 levels lie where a block's values do, which
 * need not be centred around 0.
 *
 * <p>For a few ranges around the block's own, values are rounded, d and m then fitted to the rounded values by least
 * squares, and what gives the smallest sum of squared errors is kept. Not thread-safe: one encoder a thread.
 */
@Internal(shared = true)
public final class FourBitEncoder {
    /** The type of the blocks. */
    public static final BlockType TYPE = BlockType.Q4_1;

    private static final int SIZE = 32;
    private static final int LEVELS = 15;
    /** By how many levels the range of a block is narrowed (outliers are cut off) or widened, before the fit. */
    private static final float[] SHIFTS = {0f, -0.5f, -1f, -1.75f, 0.5f};

    private final float[] x = new float[SIZE];
    private final float[] q = new float[SIZE];
    private final float[] best = new float[SIZE];
    private float scale;
    private float minimum;
    private double error;

    /**
     * Encodes whole blocks.
     *
     * @param values holds {@code 32 * blocks} values from {@code offset} on
     * @param offset the first of them
     * @param blocks how many blocks
     * @param target where the bytes go
     * @param at the first byte to write
     * @throws IllegalArgumentException when a value is not finite or too large for half precision (65504)
     */
    public void encode(float[] values, int offset, int blocks, byte[] target, int at) {
        Objects.checkFromIndexSize(offset, SIZE * blocks, values.length);
        Objects.checkFromIndexSize(at, TYPE.blockBytes() * blocks, target.length);
        for (int b = 0; b < blocks; b++) {
            System.arraycopy(values, offset + SIZE * b, x, 0, SIZE);
            fit();
            write(target, at + TYPE.blockBytes() * b);
        }
    }

    private void fit() {
        float low = x[0];
        float high = x[0];
        float nothing = 0;
        for (float value : x) {
            low = Math.min(low, value);
            high = Math.max(high, value);
            nothing += 0 * value;
        }
        if (nothing != 0 || low < -65504f || high > 65504f) {
            throw new IllegalArgumentException("4-bit blocks cannot hold values from " + low + " to " + high);
        }
        error = Double.POSITIVE_INFINITY;
        consider((high - low) / LEVELS, low);
        for (float shift : SHIFTS) {
            float step = (high - low) / (LEVELS + shift);
            round(step, low, q);
            refine(low, step);
        }
    }

    /** The least-squares d and m for the levels that q holds. */
    private void refine(float low, float step) {
        float sumQ = 0;
        float sumQq = 0;
        float sumX = 0;
        float sumQx = 0;
        for (int i = 0; i < SIZE; i++) {
            float t = x[i] - low;
            sumQ += q[i];
            sumQq += q[i] * q[i];
            sumX += t;
            sumQx += q[i] * t;
        }
        float determinant = SIZE * sumQq - sumQ * sumQ;
        if (determinant > 0) {
            consider((SIZE * sumQx - sumQ * sumX) / determinant, low + (sumQq * sumX - sumQ * sumQx) / determinant);
        } else {
            consider(step, low);
        }
    }

    /** Keeps d and m, as half precision has them, where they are better than those so far. */
    private void consider(float wantedScale, float wantedMinimum) {
        float d = Float16.toFloat(Float16.fromFloat(wantedScale));
        float m = Float16.toFloat(Float16.fromFloat(wantedMinimum));
        round(d, m, q);
        double sum = 0;
        for (int i = 0; i < SIZE; i++) {
            double off = q[i] * d + m - x[i];
            sum += off * off;
        }
        if (sum < error) {
            error = sum;
            scale = d;
            minimum = m;
            System.arraycopy(q, 0, best, 0, SIZE);
        }
    }

    private void round(float step, float low, float[] levels) {
        float inverse = step > 0 ? 1 / step : 0;
        // Of a step below the normal numbers there is no reciprocal: all values of the block are nearly equal.
        float factor = Float.isInfinite(inverse) ? 0 : inverse;
        for (int i = 0; i < SIZE; i++) {
            levels[i] = (int) Math.min(LEVELS, Math.max(0f, (x[i] - low) * factor + 0.5f));
        }
    }

    private void write(byte[] target, int at) {
        short d = Float16.fromFloat(scale);
        short m = Float16.fromFloat(minimum);
        target[at] = (byte) d;
        target[at + 1] = (byte) (d >> 8);
        target[at + 2] = (byte) m;
        target[at + 3] = (byte) (m >> 8);
        for (int i = 0; i < SIZE / 2; i++) {
            target[at + 4 + i] = (byte) ((int) best[i] | (int) best[i + SIZE / 2] << 4);
        }
    }
}
