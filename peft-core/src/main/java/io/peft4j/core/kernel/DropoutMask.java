package io.peft4j.core.kernel;

import io.peft4j.core.Internal;

/** Which elements dropout keeps: a hash of seed and index, so that no mask is stored and all kernels agree. */
@Internal(shared = true)
public final class DropoutMask {
    /** Elements whose hashes are computed at once. */
    public static final int TILE = 1024;

    private static final long STEP = 0x9E3779B97F4A7C15L;
    private static final long FIRST = 0xBF58476D1CE4E5B9L;
    private static final long SECOND = 0x94D049BB133111EBL;
    /** Of the hash, which has 64 bits, the upper 24 are compared with p. */
    private static final int IGNORED_BITS = 40;
    private static final double RANGE = 0x1p24;
    private static final long[] STEPS = new long[TILE];

    static {
        for (int i = 0; i < TILE; i++) {
            STEPS[i] = i * STEP;
        }
    }

    private DropoutMask() {
    }

    /**
     * Whether the element at {@code index} is kept.
     *
     * @param seed seed of this application of dropout
     * @param p probability of dropping an element, in [0, 1)
     */
    public static boolean keeps(long seed, long index, float p) {
        long z = seed + index * STEP;
        z = (z ^ z >>> 30) * FIRST;
        z = (z ^ z >>> 27) * SECOND;
        return (z ^ z >>> 31) >>> IGNORED_BITS >= threshold(p);
    }

    private static long threshold(float p) {
        return (long) Math.ceil(p * RANGE);
    }

    /**
     * Multiplies the elements that are kept with {@code 1 / (1 - p)} and the others with 0. Four times as fast as to
     * ask for each: the hashes are computed in loops that the JIT compiler vectorizes.
     *
     * @param x its first {@code count} elements are those from {@code first} on
     * @param work at least {@link #TILE} numbers, which are overwritten
     */
    public static void apply(float[] x, int count, long seed, long first, float p, long[] work) {
        long threshold = threshold(p);
        float[] factors = {(float) (1 / (1.0 - p)), 0f};
        for (int at = 0; at < count; at += TILE) {
            int length = Math.min(TILE, count - at);
            dropped(seed + (first + at) * STEP, threshold, work, length);
            for (int i = 0; i < length; i++) {
                x[at + i] *= factors[(int) work[i]];
            }
        }
    }

    /** Writes 1 for elements that are dropped and 0 for others. */
    private static void dropped(long base, long threshold, long[] result, int count) {
        for (int i = 0; i < count; i++) {
            long z = base + STEPS[i];
            z = (z ^ z >>> 30) * FIRST;
            z = (z ^ z >>> 27) * SECOND;
            result[i] = ((z ^ z >>> 31) >>> IGNORED_BITS) - threshold >>> Long.SIZE - 1;
        }
    }
}
