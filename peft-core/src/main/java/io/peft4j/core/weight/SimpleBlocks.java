package io.peft4j.core.weight;

import static io.peft4j.core.weight.FloatBlocks.half;

/**
 * Decoders of the blocks of 32 values with one scale d, in the types ending in 1 also a minimum m (both half
 * precision; MXFP4's scale is a power of two).
 *
 * <p>The low halves of the 16 bytes q hold values 0 to 15, the high halves values 16 to 31. The fifth bits of the 5-bit
 * types lie in a 32-bit word h, bit i for value i.
 */
final class SimpleBlocks {
    private static final int HALF = 16;
    private static final int SIZE = 32;
    /** Up to this one, that of 2^124, the largest number times the scale is finite. */
    private static final int FINITE_EXPONENT = 252;
    /** Twice the values of a float with two bits of exponent and one of fraction. */
    private static final byte[] FOUR_BIT_FLOATS = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

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

    /** Layout: e[1] q[16]. The scale is 2^(e - 128), q one of sixteen numbers: twice a float of 4 bits. */
    static void mxfp4(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 17, out += SIZE) {
            int e = source[in] & 255;
            // The two smallest are subnormal.
            float d = Float.intBitsToFloat(e < 2 ? 0x200000 << e : e - 1 << 23);
            for (int j = 0; j < HALF; j++) {
                int q = source[in + 1 + j];
                target[out + j] = d * FOUR_BIT_FLOATS[q & 15];
                target[out + j + HALF] = d * FOUR_BIT_FLOATS[q >> 4 & 15];
            }
        }
    }

    /** Whether no product of scale and number is infinite; only the largest scales have such products. */
    static boolean isFiniteMxfp4(byte[] source, int blocks) {
        for (int b = 0; b < blocks; b++) {
            for (int j = 1; j <= HALF && (source[17 * b] & 255) > FINITE_EXPONENT; j++) {
                float d = Float.intBitsToFloat((source[17 * b] & 255) - 1 << 23);
                int q = source[17 * b + j];
                int largest = Math.max(Math.abs(FOUR_BIT_FLOATS[q & 15]), Math.abs(FOUR_BIT_FLOATS[q >> 4 & 15]));
                if (Float.isInfinite(d * largest)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static int word(byte[] source, int index) {
        return source[index] & 255 | (source[index + 1] & 255) << 8 | (source[index + 2] & 255) << 16
                | source[index + 3] << 24;
    }
}
