package io.peft4j.methods;

import io.peft4j.core.array.DenseMath;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Rotations from skew-symmetric matrices S, and the gradients for S; matrices [b, b] row by row, in double.
 *
 * <p>Exact (Cayley): {@code R = (I - S) (I + S)^-1}; with the gradient G for R, {@code dS = -(I + R)^T G (I + S)^-T}.
 * Approximate (Cayley-Neumann, <a href="https://arxiv.org/abs/2306.07280">2306.07280</a>): {@code R = I + 2 S + 2 S^2 +
 * ... + S^p}, evaluated by Horner's rule.
 */
final class Cayley {
    private Cayley() {
    }

    /** {@code (I - S) (I + S)^-1}. */
    static double[] exact(double[] s, int b) {
        return multiply(plus(s, b, -1), DenseMath.inverse(plus(s, b, 1), b), b);
    }

    /** The gradient of {@link #exact} for S. */
    static double[] exactGradient(double[] s, double[] g, int b) {
        double[] r = exact(s, b);
        double[] left = transposed(plus(r, b, 1), b);
        double[] product = multiply(multiply(left, g, b), transposed(DenseMath.inverse(plus(s, b, 1), b), b), b);
        return IntStream.range(0, product.length).mapToDouble(i -> -product[i]).toArray();
    }

    /** The polynomial with the given coefficients, that of I first. */
    static double[] polynomial(double[] s, double[] coefficients, int b) {
        return horner(s, coefficients, 0, b)[0];
    }

    /** The gradient of {@link #polynomial} for S. */
    static double[] polynomialGradient(double[] s, double[] coefficients, double[] g, int b) {
        int degree = coefficients.length - 1;
        double[][] h = horner(s, coefficients, Math.min(1, degree), b);
        double[] ds = new double[s.length];
        double[] dh = g;
        double[] transposed = transposed(s, b);
        for (int p = 0; p < degree; p++) {
            // The last value is a multiple of I.
            boolean last = p == degree - 1;
            double[] product = last ? dh : multiply(dh, transposed(h[p + 1], b), b);
            for (int i = 0; i < ds.length; i++) {
                ds[i] += last ? coefficients[degree] * product[i] : product[i];
            }
            dh = last ? dh : multiply(transposed, dh, b);
        }
        return ds;
    }

    /** The values of Horner's rule from the last to {@code first}: {@code h[p] = c[p] I + S h[p + 1]}. */
    private static double[][] horner(double[] s, double[] coefficients, int first, int b) {
        int degree = coefficients.length - 1;
        double[][] h = new double[coefficients.length][];
        for (int p = degree; p >= first; p--) {
            double last = coefficients[degree];
            h[p] = p == degree ? new double[s.length] : p < degree - 1 ? multiply(s, h[p + 1], b)
                    : DoubleStream.of(s).map(element -> last * element).toArray();
            for (int i = 0; i < b; i++) {
                h[p][i * b + i] += coefficients[p];
            }
        }
        return h;
    }

    /** Hugging Face PEFT's coefficients for a number of terms. */
    static double[] neumann(int terms) {
        int degree = terms <= 1 ? 0 : terms == 2 ? 1 : Math.max(3, terms - 1);
        double[] coefficients = new double[degree + 1];
        java.util.Arrays.fill(coefficients, 2);
        coefficients[0] = 1;
        if (terms > 2) {
            coefficients[degree] = 1;
        }
        return coefficients;
    }

    /** {@code I + sign S}. */
    private static double[] plus(double[] s, int b, int sign) {
        double[] result = new double[s.length];
        for (int i = 0; i < s.length; i++) {
            result[i] = sign * s[i];
        }
        for (int i = 0; i < b; i++) {
            result[i * b + i] += 1;
        }
        return result;
    }

    static double[] transposed(double[] a, int b) {
        double[] result = new double[a.length];
        for (int i = 0; i < b; i++) {
            for (int j = 0; j < b; j++) {
                result[j * b + i] = a[i * b + j];
            }
        }
        return result;
    }

    /** {@code A C}: four rows of C at a time, so that an element of the result is read and written less often. */
    static double[] multiply(double[] a, double[] c, int b) {
        double[] result = new double[a.length];
        for (int i = 0; i < b; i++) {
            int k = 0;
            for (; k + 4 <= b; k += 4) {
                int at = i * b + k;
                addFour(a[at], a[at + 1], a[at + 2], a[at + 3], c, k * b, b, result, i * b);
            }
            for (; k < b; k++) {
                for (int j = 0; j < b; j++) {
                    result[i * b + j] += a[i * b + k] * c[k * b + j];
                }
            }
        }
        return result;
    }

    private static void addFour(double f0, double f1, double f2, double f3, double[] c, int row, int b,
            double[] result, int to) {
        int row1 = row + b;
        int row2 = row1 + b;
        int row3 = row2 + b;
        for (int j = 0; j < b; j++) {
            result[to + j] += f0 * c[row + j] + f1 * c[row1 + j] + f2 * c[row2 + j] + f3 * c[row3 + j];
        }
    }
}
