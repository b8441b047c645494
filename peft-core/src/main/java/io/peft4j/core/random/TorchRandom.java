package io.peft4j.core.random;

/**
 * The numbers of {@code torch.Generator().manual_seed(seed)} on a CPU, which come from the Mersenne Twister MT19937
 * (Matsumoto and Nishimura 1998), as do those of {@code numpy.random.RandomState(seed)}.
 */
public final class TorchRandom {
    private static final int N = 624;
    private static final int M = 397;
    /** Normal numbers that are drawn together. */
    private static final int GROUP = 16;

    private final int[] state = new int[N];
    private int next = N;

    /** With a seed, of which 32 bits count. */
    public TorchRandom(long seed) {
        state[0] = (int) seed;
        for (int i = 1; i < N; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ state[i - 1] >>> 30) + i;
        }
    }

    /**
     * The first {@code count} elements of {@code torch.randperm(n)}, a shuffle after Fisher and Yates.
     *
     * @throws IllegalArgumentException when n is so large that torch draws 64 bits an element
     */
    public int[] permutation(int n, int count) {
        if (n >= Integer.toUnsignedLong(-1) / 20 || count > n) {
            throw new IllegalArgumentException("no permutation of " + n + " elements, of which " + count);
        }
        int[] values = new int[n];
        for (int i = 0; i < n; i++) {
            values[i] = i;
        }
        for (int i = 0; i < Math.min(count, n - 1); i++) {
            int other = i + (int) (Integer.toUnsignedLong(draw()) % (n - i));
            int kept = values[i];
            values[i] = values[other];
            values[other] = kept;
        }
        return java.util.Arrays.copyOf(values, count);
    }

    /** {@code tensor.uniform_(-bound, bound)} on a tensor of {@code count} elements of type float32. */
    public float[] uniform(int count, float bound) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = Math.fma(fraction(), bound - -bound, -bound);
        }
        return values;
    }

    /**
     * {@code torch.nn.init.kaiming_uniform_} on a float32 matrix of {@code count} elements with {@code inputs} columns.
     */
    public float[] kaimingUniform(int count, int inputs) {
        return uniform(count, (float) (Math.sqrt(3) * (Math.sqrt(2) / Math.sqrt(inputs))));
    }

    /**
     * {@code torch.normal(0, deviation, size)} of type float32 with {@code count} elements. The last bits may differ
     * from torch's, which depend on the processor.
     */
    public float[] normal(int count, double deviation) {
        float[] values = new float[count];
        if (count < GROUP) {
            for (int i = 0; i < count; i += 2) {
                double first = wideFraction();
                double radius = Math.sqrt(-2 * Math.log1p(-wideFraction()));
                values[i] = (float) (radius * Math.cos(2 * Math.PI * first) * deviation);
                if (i + 1 < count) {
                    values[i + 1] = (float) (radius * Math.sin(2 * Math.PI * first) * deviation);
                }
            }
            return values;
        }
        for (int i = 0; i < count; i++) {
            values[i] = fraction();
        }
        for (int i = 0; i + GROUP <= count; i += GROUP) {
            turnIntoNormal(values, i, deviation);
        }
        if (count % GROUP != 0) {
            for (int i = count - GROUP; i < count; i++) {
                values[i] = fraction();
            }
            turnIntoNormal(values, count - GROUP, deviation);
        }
        return values;
    }

    /** By Box and Muller, the first half of a group with the second. */
    private static void turnIntoNormal(float[] values, int from, double deviation) {
        for (int i = from; i < from + GROUP / 2; i++) {
            float radius = (float) Math.sqrt(-2 * (float) Math.log(1 - values[i]));
            float angle = (float) (2 * Math.PI) * values[i + GROUP / 2];
            values[i] = radius * (float) Math.cos(angle) * (float) deviation;
            values[i + GROUP / 2] = radius * (float) Math.sin(angle) * (float) deviation;
        }
    }

    /** {@code numpy.random.RandomState(seed).random_sample()}. */
    public double numpyFraction() {
        return ((draw() >>> 5) * 0x1p26 + (draw() >>> 6)) * 0x1p-53;
    }

    /** In [0, 1), with 24 bits. */
    private float fraction() {
        return (draw() & (1 << 24) - 1) * 0x1p-24f;
    }

    /** In [0, 1), with 53 bits. */
    private double wideFraction() {
        long high = Integer.toUnsignedLong(draw()) << 32;
        return ((high | Integer.toUnsignedLong(draw())) & (1L << 53) - 1) * 0x1p-53;
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
