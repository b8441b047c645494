package io.peft4j.core.weight;

import static io.peft4j.core.weight.FloatBlocks.half;

/** Decoders of the super-blocks of 256 values (the "K" types), whose sub-blocks have small scales of their own. */
final class SuperBlocks {
    private static final int SIZE = 256;

    private SuperBlocks() {
    }

    /**
     * Layout: scales[16] q[64] d[2] dmin[2]. Two halves of 128 values, each of four runs of 32 that share bytes, two
     * bits each. A byte of scales is for 16 values, its low half the scale, its high half the minimum.
     */
    static void q2k(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 84, out += SIZE) {
            float d = half(source, in + 80);
            float dmin = half(source, in + 82);
            for (int i = 0; i < 16; i++) {
                float scale = d * (source[in + i] & 15);
                float minimum = dmin * (source[in + i] >> 4 & 15);
                int from = in + 16 + twoBits(i);
                for (int j = 0; j < 16; j++) {
                    target[out + 16 * i + j] = scale * (source[from + j] >> shift(i) & 3) - minimum;
                }
            }
        }
    }

    /**
     * Layout: high[32] q[64] scales[12] d[2]. The two low bits lie as in {@link #q2k}; a third one, which is 0 where 4
     * is subtracted, is bit i of a byte of high for the i-th run of 32. Of the sixteen 6-bit scales the first eight
     * bytes hold the four low bits (low halves 0 to 7, high halves 8 to 15), the other four the two high ones.
     */
    static void q3k(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 110, out += SIZE) {
            float d = half(source, in + 108);
            for (int i = 0; i < 16; i++) {
                int low = source[in + 96 + i % 8] >> i / 8 * 4 & 15;
                int high = source[in + 104 + i % 4] >> i / 4 * 2 & 3;
                float scale = d * ((low | high << 4) - 32);
                int from = in + 32 + twoBits(i);
                int third = in + i % 2 * 16;
                for (int j = 0; j < 16; j++) {
                    int q = source[from + j] >> shift(i) & 3;
                    target[out + 16 * i + j] = scale * (q - 4 + (source[third + j] >> i / 2 & 1) * 4);
                }
            }
        }
    }

    /** Where the two-bit numbers of the i-th 16 values begin. */
    private static int twoBits(int i) {
        return i / 8 * 32 + i % 2 * 16;
    }

    /** Where in their bytes those numbers stand. */
    private static int shift(int i) {
        return i % 8 / 2 * 2;
    }

    /**
     * Layout: d[2] dmin[2] scales[12] q[128]. Eight sub-blocks of 32; 32 bytes of q hold two of them, the low halves
     * the first, the high halves the second.
     */
    static void q4k(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 144, out += SIZE) {
            float d = half(source, in);
            float dmin = half(source, in + 2);
            for (int pair = 0; pair < 4; pair++) {
                float d0 = d * scale(source, in + 4, 2 * pair);
                float m0 = dmin * minimum(source, in + 4, 2 * pair);
                float d1 = d * scale(source, in + 4, 2 * pair + 1);
                float m1 = dmin * minimum(source, in + 4, 2 * pair + 1);
                int from = in + 16 + 32 * pair;
                int to = out + 64 * pair;
                for (int j = 0; j < 32; j++) {
                    int q = source[from + j];
                    target[to + j] = d0 * (q & 15) - m0;
                    target[to + j + 32] = d1 * (q >> 4 & 15) - m1;
                }
            }
        }
    }

    /**
     * Layout: d[2] dmin[2] scales[12] high[32] q[128]. As {@link #q4k}, with a fifth bit: bit i of a byte of high for
     * the i-th sub-block.
     */
    static void q5k(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 176, out += SIZE) {
            float d = half(source, in);
            float dmin = half(source, in + 2);
            for (int i = 0; i < 8; i++) {
                float scale = d * scale(source, in + 4, i);
                float minimum = dmin * minimum(source, in + 4, i);
                int from = in + 48 + 32 * (i / 2);
                for (int j = 0; j < 32; j++) {
                    int q = source[from + j] >> i % 2 * 4 & 15 | (source[in + 16 + j] >> i & 1) << 4;
                    target[out + 32 * i + j] = scale * q - minimum;
                }
            }
        }
    }

    /**
     * Layout: low[128] high[64] scales[16] d[2]. Two halves of 128 values, each of four runs of 32: the low four bits
     * of runs 0 and 2 share bytes, as do those of 1 and 3; the two high bits of all four share a byte. A scale is for
     * 16 values.
     */
    static void q6k(byte[] source, int blocks, float[] target, int offset) {
        for (int b = 0, in = 0, out = offset; b < blocks; b++, in += 210, out += SIZE) {
            float d = half(source, in + 208);
            for (int side = 0; side < 2; side++) {
                int low = in + 64 * side;
                int high = in + 128 + 32 * side;
                int scales = in + 192 + 8 * side;
                int to = out + 128 * side;
                for (int j = 0; j < 32; j++) {
                    int s = scales + j / 16;
                    int h = source[high + j];
                    int l0 = source[low + j];
                    int l1 = source[low + j + 32];
                    target[to + j] = d * source[s] * ((l0 & 15 | (h & 3) << 4) - 32);
                    target[to + j + 32] = d * source[s + 2] * ((l1 & 15 | (h >> 2 & 3) << 4) - 32);
                    target[to + j + 64] = d * source[s + 4] * ((l0 >> 4 & 15 | (h >> 4 & 3) << 4) - 32);
                    target[to + j + 96] = d * source[s + 6] * ((l1 >> 4 & 15 | (h >> 6 & 3) << 4) - 32);
                }
            }
        }
    }

    /**
     * The 6-bit scale of a sub-block. The 12 bytes hold scales 0 to 3, then minima 0 to 3 (six low bits each), then the
     * low four bits of scale (low half) and minimum (high half) 4 to 7, whose two upper bits are the upper bits of the
     * first eight bytes.
     */
    private static int scale(byte[] source, int table, int j) {
        return j < 4 ? source[table + j] & 63 : source[table + j + 4] & 15 | (source[table + j - 4] >> 6 & 3) << 4;
    }

    private static int minimum(byte[] source, int table, int j) {
        return j < 4 ? source[table + j + 4] & 63 : source[table + j + 4] >> 4 & 15 | (source[table + j] >> 6 & 3) << 4;
    }
}
