package io.peft4j.methods.internal;

/**
 * The beginning of {@code torch.randperm(n, generator=torch.Generator().manual_seed(seed))} on a CPU: a shuffle after
 * Fisher and Yates, driven by the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998). Adapters of methods that
 * choose weights by a seed are useless without the same choice.
 */
final class TorchPermutation {
    private static final int N = 624;
    private static final int M = 397;

    private final int[] state = new int[N];
    private int next = N;

    private TorchPermutation(long seed) {
        state[0] = (int) seed;
        for (int i = 1; i < N; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ state[i - 1] >>> 30) + i;
        }
    }

    /**
     * The first {@code count} elements of the permutation of 0 to {@code n - 1}.
     *
     * @throws IllegalArgumentException when n is so large that torch draws 64 bits an element
     */
    static int[] first(int n, int count, long seed) {
        if (n >= Integer.toUnsignedLong(-1) / 20 || count > n) {
            throw new IllegalArgumentException("no permutation of " + n + " elements, of which " + count);
        }
        TorchPermutation random = new TorchPermutation(seed);
        int[] values = new int[n];
        for (int i = 0; i < n; i++) {
            values[i] = i;
        }
        for (int i = 0; i < Math.min(count, n - 1); i++) {
            int other = i + (int) (Integer.toUnsignedLong(random.draw()) % (n - i));
            int kept = values[i];
            values[i] = values[other];
            values[other] = kept;
        }
        return java.util.Arrays.copyOf(values, count);
    }

    private int draw() {
        if (next == N) {
            for (int i = 0; i < N; i++) {
                int mixed = state[i] & 0x80000000 | state[(i + 1) % N] & 0x7fffffff;
                state[i] = state[(i + M) % N] ^ mixed >>> 1 ^ ((mixed & 1) == 0 ? 0 : 0x9908b0df);
            }
            next = 0;
        }
        int y = state[next++];
        y ^= y >>> 11;
        y ^= y << 7 & 0x9d2c5680;
        y ^= y << 15 & 0xefc60000;
        return y ^ y >>> 18;
    }
}
