package io.peft4j.core.kernel;

/** Which elements dropout keeps: a hash of seed and index, so that no mask is stored and all kernels agree. */
public final class DropoutMask {
    private DropoutMask() {
    }

    /**
     * Whether the element at {@code index} is kept.
     *
     * @param seed seed of this application of dropout
     * @param p probability of dropping an element, in [0, 1)
     */
    public static boolean keeps(long seed, long index, float p) {
        long z = seed + index * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return ((z ^ (z >>> 31)) >>> 40) * 0x1p-24f >= p;
    }
}
