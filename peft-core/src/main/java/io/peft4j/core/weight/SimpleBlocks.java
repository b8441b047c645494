package io.peft4j.core.weight;

import static io.peft4j.core.weight.FloatBlocks.half;

/**
 * Decoders of the blocks of 32 values with one scale d, in the types ending in 1 also a minimum m (both half
 * precision).
 *
 * <p>The low halves of the 16 bytes q hold values 0 to 15, the high halves values 16 to 31. The fifth bits of the 5-bit
 * types lie in a 32-bit word h, bit i for value i.
 */
final class SimpleBlocks {
    private static final int HALF = 16;
    private static final int SIZE = 32;

    private SimpleBlocks() {
    }

    /** Layout: d[2] q[16]. */
    static void q40(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 18, out += SIZE) {
            float d = half(source, in);
            for (int j = 0; j < HALF; j++) {
                int q = source[in + 2 + j];
                target[out + j] = ((q & 15) - 8) * d;
                target[out + j + HALF] = ((q >> 4 & 15) - 8) * d;
            }
        }
    }

    /** Layout: d[2] m[2] q[16]. */
    static void q41(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 20, out += SIZE) {
            float d = half(source, in);
            float m = half(source, in + 2);
            for (int j = 0; j < HALF; j++) {
                int q = source[in + 4 + j];
                target[out + j] = (q & 15) * d + m;
                target[out + j + HALF] = (q >> 4 & 15) * d + m;
            }
        }
    }

    /** Layout: d[2] h[4] q[16]. */
    static void q50(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 22, out += SIZE) {
            float d = half(source, in);
            int h = word(source, in + 2);
            for (int j = 0; j < HALF; j++) {
                int q = source[in + 6 + j];
                target[out + j] = ((q & 15 | (h >> j & 1) << 4) - 16) * d;
                target[out + j + HALF] = ((q >> 4 & 15 | (h >> j + HALF & 1) << 4) - 16) * d;
            }
        }
    }

    /** Layout: d[2] m[2] h[4] q[16]. */
    static void q51(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 24, out += SIZE) {
            float d = half(source, in);
            float m = half(source, in + 2);
            int h = word(source, in + 4);
            for (int j = 0; j < HALF; j++) {
                int q = source[in + 8 + j];
                target[out + j] = (q & 15 | (h >> j & 1) << 4) * d + m;
                target[out + j + HALF] = (q >> 4 & 15 | (h >> j + HALF & 1) << 4) * d + m;
            }
        }
    }

    /** Layout: d[2] q[32], signed bytes. */
    static void q80(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 34, out += SIZE) {
            float d = half(source, in);
            for (int j = 0; j < SIZE; j++) {
                target[out + j] = source[in + 2 + j] * d;
            }
        }
    }

    private static int word(byte[] source, int index) {
        return source[index] & 255 | (source[index + 1] & 255) << 8 | (source[index + 2] & 255) << 16
                | source[index + 3] << 24;
    }
}
