package io.peft4j.core.random;

/**
 * The numbers of {@code numpy.random.default_rng(seed)}: PCG64, the permuted congruential generator XSL RR 128/64 (<a
 * href="https://www.pcg-random.org/paper.html">O'Neill 2014</a>), with the seed spread by NumPy's {@code SeedSequence}.
 */
public final class NumpyRandom {
    private static final long MULTIPLIER_HIGH = 0x2360ED051FC65DA4L;
    private static final long MULTIPLIER_LOW = 0x4385DF649FCCF645L;
    private static final int POOL = 4;

    private long high;
    private long low;
    private final long incrementHigh;
    private final long incrementLow;
    /** The upper half of a number of which the lower one was given out; negative if there is none. */
    private long half = -1;

    /** With a seed that is not negative. */
    public NumpyRandom(long seed) {
        if (seed < 0) {
            throw new IllegalArgumentException("a seed must not be negative, got " + seed);
        }
        long[] words = spread(seed);
        incrementHigh = words[2] << 1 | words[3] >>> 63;
        incrementLow = words[3] << 1 | 1;
        step();
        add(words[0], words[1]);
        step();
    }

    // ---- drawing

    /** {@code choice(n, size=count, replace=False)}. */
    public int[] choice(int n, int count) {
        if (count < 0 || count > n) {
            throw new IllegalArgumentException("no choice of " + count + " of " + n);
        }
        if (n > 10_000 && count > n / 50) {
            int[] all = new int[n];
            for (int i = 0; i < n; i++) {
                all[i] = i;
            }
            shuffle(all, Math.max(n - count, 1));
            return java.util.Arrays.copyOfRange(all, n - count, n);
        }
        int[] chosen = new int[count];
        java.util.Set<Integer> seen = new java.util.HashSet<>();
        for (int j = n - count; j < n; j++) {
            int drawn = bounded(j);
            chosen[j - n + count] = seen.add(drawn) ? drawn : j;
            seen.add(chosen[j - n + count]);
        }
        shuffle(chosen, 1);
        return chosen;
    }

    /** {@code shuffle(values)}, which draws in another way than a choice. */
    public void shuffle(int[] values) {
        for (int i = values.length - 1; i >= 1; i--) {
            int mask = -1 >>> Integer.numberOfLeadingZeros(i);
            int other = (int) draw32() & mask;
            while (other > i) {
                other = (int) draw32() & mask;
            }
            swap(values, i, other);
        }
    }

    private void shuffle(int[] values, int first) {
        for (int i = values.length - 1; i >= first; i--) {
            swap(values, i, bounded(i));
        }
    }

    private static void swap(int[] values, int i, int j) {
        int kept = values[i];
        values[i] = values[j];
        values[j] = kept;
    }

    /** From 0 to {@code largest}, by Lemire's method. */
    private int bounded(int largest) {
        if (largest == 0) {
            return 0;
        }
        long range = largest + 1L;
        long product = draw32() * range;
        if ((product & 0xFFFFFFFFL) < range) {
            long threshold = (0xFFFFFFFFL - largest) % range;
            while ((product & 0xFFFFFFFFL) < threshold) {
                product = draw32() * range;
            }
        }
        return (int) (product >>> 32);
    }

    private long draw32() {
        if (half >= 0) {
            long kept = half;
            half = -1;
            return kept;
        }
        step();
        long whole = Long.rotateRight(high ^ low, (int) (high >>> 58));
        half = whole >>> 32;
        return whole & 0xFFFFFFFFL;
    }

    // ---- the state

    private void step() {
        long productHigh = Math.multiplyHigh(low, MULTIPLIER_LOW) + (low >> 63 & MULTIPLIER_LOW)
                + (MULTIPLIER_LOW >> 63 & low) + high * MULTIPLIER_LOW + low * MULTIPLIER_HIGH;
        low *= MULTIPLIER_LOW;
        high = productHigh;
        add(incrementHigh, incrementLow);
    }

    private void add(long otherHigh, long otherLow) {
        long sum = low + otherLow;
        high += otherHigh + (Long.compareUnsigned(sum, low) < 0 ? 1 : 0);
        low = sum;
    }

    /** NumPy's {@code SeedSequence(seed).generate_state(4, uint64)}. */
    private static long[] spread(long seed) {
        int[] entropy = {(int) seed, (int) (seed >>> 32)};
        int[] pool = new int[POOL];
        Hash hash = new Hash(0x43b0d7e5, 0x931e8875);
        for (int i = 0; i < POOL; i++) {
            pool[i] = hash.of(i < entropy.length ? entropy[i] : 0);
        }
        for (int from = 0; from < POOL; from++) {
            for (int to = 0; to < POOL; to++) {
                if (from != to) {
                    int mixed = 0xca01f9dd * pool[to] - 0x4973f715 * hash.of(pool[from]);
                    pool[to] = mixed ^ mixed >>> 16;
                }
            }
        }
        Hash output = new Hash(0x8b51f9dd, 0x58f38ded);
        long[] words = new long[4];
        for (int i = 0; i < 2 * words.length; i++) {
            long word = Integer.toUnsignedLong(output.of(pool[i % POOL]));
            words[i / 2] |= i % 2 == 0 ? word : word << 32;
        }
        return words;
    }

    /** A hash whose constant changes with every use. */
    private static final class Hash {
        private int constant;
        private final int factor;

        Hash(int constant, int factor) {
            this.constant = constant;
            this.factor = factor;
        }

        int of(int value) {
            int mixed = value ^ constant;
            constant *= factor;
            mixed *= constant;
            return mixed ^ mixed >>> 16;
        }
    }
}
