package io.peft4j.core.kernel;

import java.util.Random;

/**
 * The numbers of {@link Random} for one thread: arguments of the kernels' contract take millions of them, and counting
 * atomically took more time than most kernels.
 */
final class SequentialRandom extends Random {
    private static final long serialVersionUID = 1;
    private static final long MULTIPLIER = 0x5DEECE66DL;
    private static final long MASK = (1L << 48) - 1;

    private long state;

    SequentialRandom(long seed) {
        super(seed);
        state = (seed ^ MULTIPLIER) & MASK;
    }

    @Override
    protected int next(int bits) {
        state = (state * MULTIPLIER + 0xBL) & MASK;
        return (int) (state >>> (48 - bits));
    }
}
