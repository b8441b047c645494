package io.peft4j.core.weight.support;

import io.peft4j.core.array.support.Float16;
import io.peft4j.core.weight.BlockType;
import java.nio.ByteBuffer;

/**
 * Encodes blocks of 32 values in 4 or 5 bits. Beside the scale that ggml's reference takes from the largest value, some
 * smaller and larger ones are tried: values are rounded with each, and scale (and minimum) that fit the rounded numbers
 * best have a closed form. The one with the least squared error is written, the reference's where none is better, so
 * that values of the type itself come out as they were.
 */
final class BlockScales {
    private static final int SIZE = 32;
    /** Tried are the ranges of {@code levels - 1 + 0.2 i} steps for i from -TRIED to TRIED. */
    private static final int TRIED = 4;
    private static final float STEP = 0.2f;

    private final boolean minimum;
    private final int levels;
    private final int[] q = new int[SIZE];
    private final int[] best = new int[SIZE];
    private float scale;
    private float offset;
    private double error;

    /** An encoder of Q4_0, Q4_1, Q5_0 or Q5_1; for use by one thread. */
    BlockScales(BlockType type) {
        minimum = type == BlockType.Q4_1 || type == BlockType.Q5_1;
        levels = type == BlockType.Q4_0 || type == BlockType.Q4_1 ? 16 : 32;
    }

    /** Appends the block that begins at {@code from}. */
    void encode(float[] row, int from, ByteBuffer out) {
        float low = row[from];
        float high = row[from];
        for (int i = from + 1; i < from + SIZE; i++) {
            low = Math.min(low, row[i]);
            high = Math.max(high, row[i]);
        }
        error = Double.POSITIVE_INFINITY;
        if (minimum) {
            search(row, from, (high - low) / (levels - 1), low, levels - 1);
        } else {
            // The first of equal size counts, as in the reference.
            search(row, from, largest(row, from) / -(levels / 2), 0, levels / 2);
        }
        write(out);
    }

    private static float largest(float[] row, int from) {
        float largest = row[from];
        for (int i = from + 1; i < from + SIZE; i++) {
            largest = Math.abs(row[i]) > Math.abs(largest) || Float.isNaN(row[i]) ? row[i] : largest;
        }
        return largest;
    }

    private void search(float[] row, int from, float reference, float low, int steps) {
        RowEncoder.half(reference);
        RowEncoder.half(low);
        round(row, from, reference, low);
        keep(row, from, reference, low);
        for (int i = -TRIED; i <= TRIED && error > 0; i++) {
            round(row, from, reference * steps / (steps + STEP * i), low);
            fit(row, from);
        }
    }

    /** Rounds to numbers from 0 to {@code levels - 1}; halves go up. */
    private void round(float[] row, int from, float by, float low) {
        float inverse = by == 0 ? 0 : 1 / by;
        float middle = minimum ? 0.5f : levels / 2 + 0.5f;
        for (int i = 0; i < SIZE; i++) {
            q[i] = Math.max(0, Math.min(levels - 1, (int) Math.floor((row[from + i] - low) * inverse + middle)));
        }
    }

    /** The scale and minimum whose values are nearest to the row's with these numbers. */
    private void fit(float[] row, int from) {
        double n = SIZE;
        double sum = 0;
        double squares = 0;
        double values = 0;
        double products = 0;
        for (int i = 0; i < SIZE; i++) {
            int number = minimum ? q[i] : q[i] - levels / 2;
            sum += number;
            squares += number * number;
            values += row[from + i];
            products += (double) number * row[from + i];
        }
        double determinant = minimum ? n * squares - sum * sum : squares;
        if (determinant == 0) {
            return;
        }
        float fitted = (float) (minimum ? (n * products - sum * values) / determinant : products / determinant);
        keep(row, from, fitted, minimum ? (float) ((values - fitted * sum) / n) : 0);
    }

    /** Keeps the numbers with this scale and minimum, as half-precision numbers hold them, where none was better. */
    private void keep(float[] row, int from, float by, float low) {
        float d = Float16.toFloat(Float16.fromFloat(by));
        float m = Float16.toFloat(Float16.fromFloat(low));
        double sum = 0;
        for (int i = 0; i < SIZE; i++) {
            double difference = d * (minimum ? q[i] : q[i] - levels / 2) + m - row[from + i];
            sum += difference * difference;
        }
        if (sum < error) {
            error = sum;
            scale = by;
            offset = low;
            System.arraycopy(q, 0, best, 0, SIZE);
        }
    }

    private void write(ByteBuffer out) {
        out.putShort(RowEncoder.half(scale));
        if (minimum) {
            out.putShort(RowEncoder.half(offset));
        }
        if (levels > 16) {
            int fifth = 0;
            for (int i = 0; i < SIZE; i++) {
                fifth |= (best[i] >> 4) << i;
            }
            out.putInt(fifth);
        }
        for (int i = 0; i < SIZE / 2; i++) {
            out.put((byte) (best[i] & 15 | (best[i + SIZE / 2] & 15) << 4));
        }
    }
}
