package io.peft4j.methods;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Discrete Fourier transforms {@code X[k] = sum over n of x[n] e^(-2 pi i k n / N)} of many sequences of complex
 * numbers at once, in f32, by Stockham's algorithm: N is divided by its factors one by one, 4 before others, in
 * {@code 8 N (sum of the factors)} multiplications at most. The n-th numbers of all sequences lie side by side, so that
 * the innermost loops are long.
 */
final class FastFourier {
    private static final float SINE_OF_SIXTH = (float) (Math.sqrt(3) / 2);

    private final int length;
    private final int[] factors;
    /** e^(-2 pi i n / N), real and imaginary parts. */
    private final float[] real;
    private final float[] imaginary;

    /** Of sequences of N numbers. */
    FastFourier(int length) {
        this.length = length;
        int[] found = new int[Integer.SIZE];
        int count = 0;
        int rest = length;
        for (int factor = 4; rest > 1; factor = after(factor)) {
            while (rest % factor == 0) {
                found[count++] = factor;
                rest /= factor;
            }
        }
        this.factors = Arrays.copyOf(found, count);
        this.real = wave(length, Math.PI / 2);
        this.imaginary = wave(length, Math.PI);
    }

    /** The factor that is tried next: 4, 2, 3, 5, 7, 9 ... */
    private static int after(int factor) {
        return switch (factor) {
            case 4 -> 2;
            case 2 -> 3;
            default -> factor + 2;
        };
    }

    private static float[] wave(int length, double phase) {
        float[] wave = new float[length];
        IntStream.range(0, length).forEach(n -> wave[n] = (float) Math.sin(2 * Math.PI * n / length + phase));
        return wave;
    }

    /** Real and imaginary parts: element n of sequence t at {@code n lanes + t}. */
    record Values(float[] real, float[] imaginary) {
        /** With room for so many numbers. */
        static Values of(int count) {
            return new Values(new float[count], new float[count]);
        }

        /** Zeros in the first {@code count} places. */
        void clear(int count) {
            Arrays.fill(real, 0, count, 0);
            Arrays.fill(imaginary, 0, count, 0);
        }
    }

    /**
     * The transforms.
     *
     * @param x the sequences; overwritten
     * @param other as large as they
     * @param lanes their number
     * @return x or the other one, whichever holds the result
     */
    Values transform(Values x, Values other, int lanes) {
        Values from = x;
        Values to = other;
        int left = length;
        int block = lanes;
        for (int factor : factors) {
            int groups = left / factor;
            int turn = length / left;
            for (int p = 0; p < groups; p++) {
                Butterfly step = new Butterfly(from, to, p * block, groups * block, factor * p * block, block);
                switch (factor) {
                    case 2 -> two(step, p * turn);
                    case 3 -> three(step, p * turn);
                    case 4 -> four(step, p * turn);
                    default -> any(step, factor, p * turn);
                }
            }
            Values last = from;
            from = to;
            to = last;
            left = groups;
            block *= factor;
        }
        return from;
    }

    /** A few numbers of {@code x}, {@code stride} apart from {@code from} on, that become as many of {@code y}. */
    private record Butterfly(Values x, Values y, int from, int stride, int to, int block) {
    }

    private void two(Butterfly step, int turn) {
        two(step.x.real, step.x.imaginary, step.from, step.from + step.stride, step.y.real, step.y.imaginary, step.to,
                step.block, real[turn], imaginary[turn]);
    }

    // The loops take all as arguments: the compiler turns them into vector instructions then.

    private static void two(float[] xr, float[] xi, int a, int b, float[] yr, float[] yi, int to, int block, float wr,
            float wi) {
        int to1 = to + block;
        for (int t = 0; t < block; t++) {
            float dr = xr[a + t] - xr[b + t];
            float di = xi[a + t] - xi[b + t];
            yr[to + t] = xr[a + t] + xr[b + t];
            yi[to + t] = xi[a + t] + xi[b + t];
            yr[to1 + t] = dr * wr - di * wi;
            yi[to1 + t] = dr * wi + di * wr;
        }
    }

    private void three(Butterfly step, int turn) {
        three(step.x.real, step.x.imaginary, step.from, step.stride, step.y.real, step.y.imaginary, step.to,
                step.block, real[turn], imaginary[turn], real[2 * turn], imaginary[2 * turn]);
    }

    private static void three(float[] xr, float[] xi, int a, int stride, float[] yr, float[] yi, int to, int block,
            float w1r, float w1i, float w2r, float w2i) {
        int b = a + stride;
        int c = b + stride;
        int to1 = to + block;
        int to2 = to1 + block;
        for (int t = 0; t < block; t++) {
            float sr = xr[b + t] + xr[c + t];
            float si = xi[b + t] + xi[c + t];
            float dr = SINE_OF_SIXTH * (xr[b + t] - xr[c + t]);
            float di = SINE_OF_SIXTH * (xi[b + t] - xi[c + t]);
            float hr = xr[a + t] - 0.5f * sr;
            float hi = xi[a + t] - 0.5f * si;
            yr[to + t] = xr[a + t] + sr;
            yi[to + t] = xi[a + t] + si;
            yr[to1 + t] = (hr + di) * w1r - (hi - dr) * w1i;
            yi[to1 + t] = (hr + di) * w1i + (hi - dr) * w1r;
            yr[to2 + t] = (hr - di) * w2r - (hi + dr) * w2i;
            yi[to2 + t] = (hr - di) * w2i + (hi + dr) * w2r;
        }
    }

    private void four(Butterfly step, int turn) {
        four(step.x.real, step.x.imaginary, step.from, step.stride, step.y.real, step.y.imaginary, step.to,
                step.block, real[turn], imaginary[turn], real[2 * turn], imaginary[2 * turn], real[3 * turn],
                imaginary[3 * turn]);
    }

    private static void four(float[] xr, float[] xi, int a, int stride, float[] yr, float[] yi, int to, int block,
            float w1r, float w1i, float w2r, float w2i, float w3r, float w3i) {
        int b = a + stride;
        int c = b + stride;
        int d = c + stride;
        int to1 = to + block;
        int to2 = to1 + block;
        int to3 = to2 + block;
        for (int t = 0; t < block; t++) {
            float sr = xr[a + t] + xr[c + t];
            float si = xi[a + t] + xi[c + t];
            float dr = xr[a + t] - xr[c + t];
            float di = xi[a + t] - xi[c + t];
            float ur = xr[b + t] + xr[d + t];
            float ui = xi[b + t] + xi[d + t];
            float vr = xr[b + t] - xr[d + t];
            float vi = xi[b + t] - xi[d + t];
            yr[to + t] = sr + ur;
            yi[to + t] = si + ui;
            yr[to1 + t] = (dr + vi) * w1r - (di - vr) * w1i;
            yi[to1 + t] = (dr + vi) * w1i + (di - vr) * w1r;
            yr[to2 + t] = (sr - ur) * w2r - (si - ui) * w2i;
            yi[to2 + t] = (sr - ur) * w2i + (si - ui) * w2r;
            yr[to3 + t] = (dr - vi) * w3r - (di + vr) * w3i;
            yi[to3 + t] = (dr - vi) * w3i + (di + vr) * w3r;
        }
    }

    private void any(Butterfly step, int factor, int turn) {
        for (int k = 0; k < factor; k++) {
            int to = step.to + k * step.block;
            Arrays.fill(step.y.real, to, to + step.block, 0);
            Arrays.fill(step.y.imaginary, to, to + step.block, 0);
            for (int j = 0; j < factor; j++) {
                int at = (int) (((long) j * k * (length / factor) + (long) k * turn) % length);
                add(step.x.real, step.x.imaginary, step.from + j * step.stride, step.y.real, step.y.imaginary, to,
                        step.block, real[at], imaginary[at]);
            }
        }
    }

    private static void add(float[] xr, float[] xi, int from, float[] yr, float[] yi, int to, int block, float wr,
            float wi) {
        for (int t = 0; t < block; t++) {
            yr[to + t] += xr[from + t] * wr - xi[from + t] * wi;
            yi[to + t] += xr[from + t] * wi + xi[from + t] * wr;
        }
    }
}
