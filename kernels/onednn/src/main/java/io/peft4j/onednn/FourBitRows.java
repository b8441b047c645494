package io.peft4j.onednn;

import io.peft4j.core.array.BFloat16;
import io.peft4j.core.array.Float16;
import io.peft4j.core.weight.BlockType;

/**
 * Decodes 4-bit blocks straight to bfloat16: of the 16 values that a block can hold each is rounded once, and looked up
 * for the 32 elements. The same bits as decoding to floats and rounding these.
 */
final class FourBitRows {
    private static final int LEVELS = 16;
    private static final int HALF = 16;
    private static final int SIZE = 32;

    private FourBitRows() {
    }

    /** Whether blocks of this type are decoded here. */
    static boolean decodes(BlockType type) {
        return type == BlockType.Q4_0 || type == BlockType.Q4_1;
    }

    /** Decodes {@code blocks} blocks from the start of {@code source}. */
    static void decode(BlockType type, byte[] source, int blocks, short[] target, int offset) {
        boolean hasMinimum = type == BlockType.Q4_1;
        int head = hasMinimum ? 4 : 2;
        short[] values = new short[LEVELS];
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += head + HALF, out += SIZE) {
            float d = half(source, in);
            float m = hasMinimum ? half(source, in + 2) : 0;
            int centre = hasMinimum ? 0 : 8;
            for (int q = 0; q < LEVELS; q++) {
                float value = (q - centre) * d;
                // Not with a minimum of 0: that would turn -0 into 0.
                values[q] = BFloat16.fromFloat(hasMinimum ? value + m : value);
            }
            for (int j = 0; j < HALF; j++) {
                int q = source[in + head + j];
                target[out + j] = values[q & 15];
                target[out + j + HALF] = values[q >> 4 & 15];
            }
        }
    }

    private static float half(byte[] source, int at) {
        return Float16.toFloat((short) (source[at] & 255 | source[at + 1] << 8));
    }
}
