package io.peft4j.core.weight;

import java.nio.ByteBuffer;

/**
 * Encodes blocks of 32 values in 4 or 5 bits, byte for byte as ggml's reference: the scale is that of the largest
 * value, or with a minimum that of the range. Scales of a smaller squared error kept fewer facts of a tuning
 * (benchmarks/results.md).
 */
final class BlockScales {
    private static final int SIZE = 32;

    private final boolean minimum;
    private final int levels;
    private final int[] q = new int[SIZE];

    /** An encoder of Q4_0, Q4_1, Q5_0 or Q5_1; for use by one thread. */
    BlockScales(BlockType type) {
        minimum = type == BlockType.Q4_1 || type == BlockType.Q5_1;
        levels = type == BlockType.Q4_0 || type == BlockType.Q4_1 ? 16 : 32;
    }

    /** Appends the block that begins at {@code from}. */
    void encode(float[] row, int from, ByteBuffer out) {
        float low = row[from];
        float high = row[from];
        float largest = row[from];
        for (int i = from + 1; i < from + SIZE; i++) {
            low = Math.min(low, row[i]);
            high = Math.max(high, row[i]);
            // The first of equal size counts.
            largest = Math.abs(row[i]) > Math.abs(largest) || Float.isNaN(row[i]) ? row[i] : largest;
        }
        float scale = minimum ? (high - low) / (levels - 1) : largest / -(levels / 2);
        out.putShort(RowEncoder.half(scale));
        if (minimum) {
            out.putShort(RowEncoder.half(low));
        }
        round(row, from, scale == 0 ? 0 : 1 / scale, minimum ? low : 0);
        write(out);
    }

    /** Rounds to numbers from 0 to {@code levels - 1}; halves go up. */
    private void round(float[] row, int from, float inverse, float low) {
        float middle = minimum ? 0.5f : levels / 2 + 0.5f;
        for (int i = 0; i < SIZE; i++) {
            q[i] = Math.max(0, Math.min(levels - 1, (int) ((row[from + i] - low) * inverse + middle)));
        }
    }

    private void write(ByteBuffer out) {
        if (levels > 16) {
            int fifth = 0;
            for (int i = 0; i < SIZE; i++) {
                fifth |= (q[i] >> 4) << i;
            }
            out.putInt(fifth);
        }
        for (int i = 0; i < SIZE / 2; i++) {
            out.put((byte) (q[i] & 15 | (q[i + SIZE / 2] & 15) << 4));
        }
    }
}
