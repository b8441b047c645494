package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.BFloat16;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * What every implementation of {@link Loops} must do: extend this class and create the loops. Results are held against
 * the formulas in double, over ranges shorter and longer than a register and a tile, with neighbours that must stay.
 */
public abstract class LoopsContract {
    /** Ranges [from, to) of arrays of {@link #LENGTH}. */
    private static final int[][] RANGES = {{0, 0}, {0, 1}, {3, 4}, {0, 7}, {5, 21}, {0, 16}, {0, 17}, {1, 64}, {0, 576},
        {7, 1000}, {0, 1024}, {0, 1025}, {3, 2500}};
    private static final int LENGTH = 2600;
    /** An exponential is within 2e-7 (see {@link ExponentialTest}); two or three roundings follow. */
    private static final double TOLERANCE = 5e-7;

    private final Loops loops = create();

    /** The implementation under test. */
    protected abstract Loops create();

    /** What is tested. */
    protected final Loops loops() {
        return loops;
    }

    private static float[] normal(long seed, double deviation) {
        Random random = new Random(seed);
        float[] x = new float[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            x[i] = (float) (deviation * random.nextGaussian());
        }
        return x;
    }

    /** Computes an element. */
    @FunctionalInterface
    private interface Element {
        double at(int i);
    }

    /** Elements of a range are as expected, relative to {@code 1e-30} at least; the others are those of before. */
    private static void check(float[] before, float[] after, int[] range, Element expected) {
        for (int i = 0; i < LENGTH; i++) {
            boolean inside = i >= range[0] && i < range[1];
            double e = inside ? expected.at(i) : before[i];
            if (!(Math.abs(e - after[i]) <= (inside ? TOLERANCE * Math.abs(e) + 1e-30 : 0))) {
                assertEquals(e, after[i], (inside ? "" : "neighbour ") + i + " of " + Arrays.toString(range));
            }
        }
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    @Test
    void exponentials() {
        for (int[] range : RANGES) {
            float[] x = normal(1, 20);
            float[] y = x.clone();
            loops.exponentials(y, range[0], range[1]);
            check(x, y, range, i -> Math.exp(x[i]));
        }
    }

    @Test
    void exponentialsOfDifferencesAndTheirSum() {
        for (int[] range : RANGES) {
            float[] x = normal(2, 10);
            float[] y = x.clone();
            double sum = loops.exponentials(y, range[0], range[1], 40.5f);
            check(x, y, range, i -> Math.exp((double) (x[i] - 40.5f)));
            double expected = 0;
            for (int i = range[0]; i < range[1]; i++) {
                expected += y[i];
            }
            assertEquals(expected, sum, 1e-12 * expected);
        }
    }

    @Test
    void exponentialsOfSpecialValues() {
        float[] x = new float[40];
        float[] special = {0, -0f, Exponential.HIGHEST, Exponential.LOWEST, -1000, Float.NEGATIVE_INFINITY, Float.NaN,
            1};
        for (int at : new int[] {0, 17, 32}) {
            System.arraycopy(special, 0, x, at, special.length);
            loops.exponentials(x, 0, x.length);
            assertEquals(1, x[at]);
            assertEquals(1, x[at + 1]);
            assertEquals(Math.exp(Exponential.HIGHEST), x[at + 2], TOLERANCE * x[at + 2]);
            assertEquals(0, x[at + 3], 2e-38);
            assertEquals(0, x[at + 4], 2e-38);
            assertEquals(0, x[at + 5], 2e-38);
            assertTrue(Float.isNaN(x[at + 6]));
            assertEquals(Math.E, x[at + 7], 1e-6);
            Arrays.fill(x, 0);
        }
    }

    @Test
    void reductions() {
        for (int[] range : RANGES) {
            float[] a = normal(3, 1);
            float[] b = normal(4, 1);
            double sum = 0;
            double dot = 0;
            double magnitude = 0;
            float max = Float.NEGATIVE_INFINITY;
            for (int i = range[0]; i < range[1]; i++) {
                sum += a[i];
                dot += (double) a[i] * b[i];
                magnitude += Math.abs(a[i]) + Math.abs((double) a[i] * b[i]);
                max = Math.max(max, a[i]);
            }
            assertEquals(max, loops.max(a, range[0], range[1]));
            assertEquals(sum, loops.sum(a, range[0], range[1]), 1e-13 * magnitude);
            assertEquals(dot, loops.dot(a, b, range[0], range[1]), 1e-13 * magnitude);
        }
    }

    @Test
    void theLargestSeesNaNAndInfinity() {
        for (int at : new int[] {0, 5, 16, 39}) {
            float[] x = new float[40];
            x[at] = Float.POSITIVE_INFINITY;
            assertEquals(Float.POSITIVE_INFINITY, loops.max(x, 0, 40));
            x[at] = Float.NaN;
            assertTrue(Float.isNaN(loops.max(x, 0, 40)), "NaN at " + at);
        }
    }

    @Test
    void siluMultiply() {
        for (int[] range : RANGES) {
            float[] gate = normal(5, 10);
            float[] up = normal(6, 1);
            float[] y = normal(7, 1);
            float[] before = y.clone();
            loops.siluMultiply(gate, up, y, range[0], range[1]);
            check(before, y, range, i -> gate[i] * sigmoid(gate[i]) * up[i]);
            float[] inPlace = up.clone();
            loops.siluMultiply(gate.clone(), inPlace, inPlace, range[0], range[1]);
            assertArrayEquals(Arrays.copyOfRange(y, range[0], range[1]),
                    Arrays.copyOfRange(inPlace, range[0], range[1]));
        }
    }

    @Test
    void siluMultiplyBackward() {
        for (int[] range : RANGES) {
            float[] dy = normal(8, 1);
            float[] gate = normal(9, 3);
            float[] up = normal(10, 1);
            float[] dGate = normal(11, 1);
            float[] dUp = normal(12, 1);
            float[] beforeGate = dGate.clone();
            float[] beforeUp = dUp.clone();
            loops.siluMultiplyBackward(dy, gate, up, dGate, dUp, range[0], range[1]);
            check(beforeUp, dUp, range, i -> dy[i] * gate[i] * sigmoid(gate[i]));
            for (int i = 0; i < LENGTH; i++) {
                double s = sigmoid(gate[i]);
                boolean inside = i >= range[0] && i < range[1];
                // 1 + g (1 - s) vanishes near -1.28, so the error is one of its terms.
                assertEquals(inside ? dy[i] * up[i] * s * (1 + gate[i] * (1 - s)) : beforeGate[i], dGate[i],
                        inside ? TOLERANCE * Math.abs(dy[i] * up[i] * s) * (1 + Math.abs(gate[i])) + 1e-30 : 0);
            }
            loops.siluMultiplyBackward(dy, gate, up, up, gate, range[0], range[1]);
            for (int i = range[0]; i < range[1]; i++) {
                assertEquals(dGate[i], up[i]);
                assertEquals(dUp[i], gate[i]);
            }
        }
    }

    @Test
    void siluOfExtremeGates() {
        float[] gates = {-1e30f, Float.NEGATIVE_INFINITY, -200, -88, 0, -0f, 88, 200, 1e30f, Float.POSITIVE_INFINITY,
            Float.NaN};
        for (int repeated : new int[] {1, 4}) {
            float[] gate = new float[gates.length * repeated];
            float[] one = new float[gate.length];
            Arrays.fill(one, 1);
            for (int i = 0; i < gate.length; i++) {
                gate[i] = gates[i % gates.length];
            }
            float[] y = new float[gate.length];
            float[] dGate = new float[gate.length];
            float[] dUp = new float[gate.length];
            loops.siluMultiply(gate, one, y, 0, gate.length);
            loops.siluMultiplyBackward(one, gate, one, dGate, dUp, 0, gate.length);
            for (int i = 0; i < gate.length; i++) {
                if (gate[i] == Float.POSITIVE_INFINITY) {
                    assertEquals(gate[i], y[i]);
                } else if (Float.isNaN(gate[i])) {
                    assertTrue(Float.isNaN(y[i]) && Float.isNaN(dGate[i]) && Float.isNaN(dUp[i]));
                } else {
                    double expected = gate[i] < -200 ? 0 : gate[i] * sigmoid(gate[i]);
                    assertEquals(expected, y[i], TOLERANCE * Math.abs(expected) + 1e-30, "silu of " + gate[i]);
                    assertEquals(expected, dUp[i], TOLERANCE * Math.abs(expected) + 1e-30);
                    assertEquals(gate[i] == 0 ? 0.5 : gate[i] > 0 ? 1 : 0, dGate[i], TOLERANCE);
                }
            }
        }
    }

    @Test
    void activationsAndTheirSlopes() {
        for (Activation f : Activation.values()) {
            for (int count : new int[] {0, 1, 7, 16, 17, 1000, 1024}) {
                float[] x = normal(20, 3);
                float[] y = normal(21, 1);
                float[] slopes = normal(22, 1);
                float[] alone = y.clone();
                float[] beforeSlopes = slopes.clone();
                float[] before = y.clone();
                loops.slopes(f, x, y, slopes, count);
                loops.activate(f, x, alone, count);
                for (int i = 0; i < LENGTH; i++) {
                    String what = f + " of " + x[i] + ", " + i + " of " + count;
                    double value = i < count ? NaiveActivations.value(f, x[i]) : before[i];
                    // GELU is a difference of two terms below x, and so are the slopes.
                    double tolerance = i < count ? TOLERANCE * (1 + Math.abs(x[i])) : 0;
                    assertEquals(value, y[i], tolerance, what);
                    assertEquals(value, alone[i], tolerance, what);
                    assertEquals(i < count ? NaiveActivations.slope(f, x[i]) : beforeSlopes[i], slopes[i], tolerance,
                            what);
                }
                float[] many = x.clone();
                loops.activate(f, many, many, LENGTH);
                assertEquals(NaiveActivations.value(f, x[LENGTH - 1]), many[LENGTH - 1],
                        TOLERANCE * (1 + Math.abs(x[LENGTH - 1])), f + " of more than a tile");
                float[] inPlace = x.clone();
                loops.activate(f, inPlace, inPlace, count);
                assertArrayEquals(Arrays.copyOf(alone, count), Arrays.copyOf(inPlace, count), f + " in place");
                float[] over = x.clone();
                float[] again = new float[LENGTH];
                loops.slopes(f, over, over, again, count);
                assertArrayEquals(Arrays.copyOf(slopes, count), Arrays.copyOf(again, count), f + " over x");
                assertArrayEquals(Arrays.copyOf(y, count), Arrays.copyOf(over, count), f + " over x");
            }
        }
    }

    @Test
    void tangentsAndErrorsOfSmallValuesAreRelativelyExact() {
        float[] x = {1e-30f, -1e-20f, 1e-6f, -1e-4f, 0.01f, -0.1f, 0.5f, -0.7f, 1, 2, 3, 4, -5, 0, -0f, 1e-3f, 0.3f};
        float[] y = new float[x.length];
        loops.activate(Activation.TANH, x, y, x.length);
        for (int i = 0; i < x.length; i++) {
            assertEquals(Math.tanh(x[i]), y[i], TOLERANCE * Math.abs(Math.tanh(x[i])), "tanh of " + x[i]);
        }
    }

    @Test
    void rmsNormAndItsGradient() {
        for (int width : new int[] {1, 7, 16, 33, 576, 1025}) {
            int at = 3;
            float[] x = normal(13, 2);
            float[] dy = normal(14, 1);
            float[] weight = Arrays.copyOf(normal(15, 1), width);
            double squares = 0;
            for (int j = 0; j < width; j++) {
                squares += (double) x[at + j] * x[at + j];
            }
            double r = 1 / Math.sqrt(squares / width + 1e-5);
            float[] y = x.clone();
            float rstd = loops.rmsNorm(y, at, weight, 1e-5f);
            assertEquals(r, rstd, TOLERANCE * r);
            check(x, y, new int[] {at, at + width}, i -> x[i] * r * weight[i - at]);
            double dot = 0;
            for (int j = 0; j < width; j++) {
                dot += (double) dy[at + j] * weight[j] * x[at + j] * rstd / width;
            }
            float[] dx = dy.clone();
            loops.rmsNormBackward(dx, x, at, weight, rstd);
            for (int i = 0; i < LENGTH; i++) {
                boolean inside = i >= at && i < at + width;
                double g = inside ? (double) dy[i] * weight[i - at] : 0;
                double n = x[i] * (double) rstd;
                // Two terms are subtracted; the error is one of theirs.
                double terms = rstd * (Math.abs(g) + Math.abs(n * dot));
                assertEquals(inside ? rstd * (g - n * dot) : dy[i], dx[i], inside ? TOLERANCE * terms + 1e-6 * rstd : 0,
                        "width " + width + ", element " + i);
            }
        }
    }

    @Test
    void rotate() {
        for (int half : new int[] {1, 7, 16, 32, 40}) {
            for (float sign : new float[] {1, -1}) {
                float[] x = normal(16, 1);
                float[] cosines = normal(17, 1);
                float[] sines = normal(18, 1);
                float[] y = x.clone();
                loops.rotate(y, 5, half, cosines, sines, 11, sign);
                for (int i = 0; i < LENGTH; i++) {
                    int pair = (i - 5) % half;
                    double expected = x[i];
                    if (i >= 5 && i < 5 + half) {
                        expected = (double) x[i] * cosines[11 + pair] - (double) x[i + half] * sign * sines[11 + pair];
                    } else if (i >= 5 + half && i < 5 + 2 * half) {
                        expected = (double) x[i] * cosines[11 + pair] + (double) x[i - half] * sign * sines[11 + pair];
                    }
                    assertEquals(expected, y[i], 1e-6, "half " + half + ", element " + i);
                }
            }
        }
    }

    @Test
    void conversions() {
        Random random = new Random(19);
        for (int count : new int[] {0, 1, 15, 16, 17, 1023, 1025, 2600}) {
            float[] wide = new float[LENGTH];
            short[] narrow = new short[LENGTH];
            for (int i = 0; i < LENGTH; i++) {
                wide[i] = Float.intBitsToFloat(random.nextInt());
            }
            float[] special = {Float.NaN, Float.POSITIVE_INFINITY, -0f, Float.MAX_VALUE, Float.MIN_VALUE, 1 + 0x1p-8f,
                1 + 0x3p-8f, Float.intBitsToFloat(0x7FFFFFFF), Float.intBitsToFloat(0xFF800001)};
            System.arraycopy(special, 0, wide, 0, special.length);
            System.arraycopy(special, 0, wide, 1000, special.length);
            loops.narrow(wide, narrow, count);
            float[] back = new float[LENGTH];
            loops.widen(narrow, back, count);
            for (int i = 0; i < LENGTH; i++) {
                short expected = i < count ? BFloat16.fromFloat(wide[i]) : 0;
                assertEquals(expected, narrow[i], "bits of " + wide[i]);
                assertEquals(BFloat16.toFloat(expected), back[i]);
            }
        }
    }
}
