package io.peft4j.core.array;

import io.peft4j.core.Internal;
import org.bytedeco.openblas.global.openblas;

/** Products and decompositions of matrices in double and in c order, by BLAS and LAPACK. For set-up, not for steps. */
@Internal(shared = true)
public final class DenseMath {
    private DenseMath() {
    }

    /**
     * Adds {@code scale * X^T X} to a symmetric matrix: X [m, n], sum [n, n].
     *
     * @param scale may be any number
     */
    public static void addGram(double[] x, int m, int n, double scale, double[] sum) {
        NativeLibraries.loadLapack();
        openblas.cblas_dgemm(openblas.CblasRowMajor, openblas.CblasTrans, openblas.CblasNoTrans, n, n, m, scale, x, n,
                x, n, 1, sum, n);
    }

    /** {@code A B}: A [m, k], B [k, n]. */
    public static double[] product(double[] a, int m, int k, double[] b, int n) {
        NativeLibraries.loadLapack();
        double[] c = new double[Math.multiplyExact(m, n)];
        openblas.cblas_dgemm(openblas.CblasRowMajor, openblas.CblasNoTrans, openblas.CblasNoTrans, m, n, k, 1, a, k,
                b, n, 0, c, n);
        return c;
    }

    /** {@code A B^T}: A [m, k], B [n, k]. */
    public static double[] productTransposed(double[] a, int m, int k, double[] b, int n) {
        NativeLibraries.loadLapack();
        double[] c = new double[Math.multiplyExact(m, n)];
        openblas.cblas_dgemm(openblas.CblasRowMajor, openblas.CblasNoTrans, openblas.CblasTrans, m, n, k, 1, a, k,
                b, k, 0, c, n);
        return c;
    }

    /**
     * {@code B C^-1} for a symmetric positive definite C: B [r, n], C [n, n].
     *
     * @param c overwritten
     * @throws ArithmeticException when C is not positive definite
     */
    public static double[] divide(double[] b, int r, double[] c, int n) {
        NativeLibraries.loadLapack();
        double[] x = b.clone();
        // Column after column of B^T is the same memory as row after row of B.
        int failed = openblas.LAPACKE_dposv(openblas.LAPACK_COL_MAJOR, (byte) 'U', n, r, c, n, x, n);
        if (failed != 0) {
            throw new ArithmeticException("a matrix of " + n + " x " + n + " is not positive definite: " + failed);
        }
        return x;
    }

    /**
     * The largest singular values s [r], falling, and the right singular vectors V^T [r, n] of X [m, n], from the
     * eigenvalues of the smaller of X^T X and X X^T: faster than a whole decomposition where only few are wanted.
     * Values below some 1e-7 of the largest are noise. Where the rank of X is below r, the rest is zero.
     *
     * @throws ArithmeticException when X holds NaN or infinite values, or LAPACK does not converge
     */
    public static RightVectors rightVectors(double[] x, int m, int n, int r) {
        int k = Math.min(m, n);
        int wanted = Math.min(r, k);
        double[] gram;
        if (n <= m) {
            gram = new double[n * n];
            addGram(x, m, n, 1, gram);
        } else {
            gram = productTransposed(x, m, n, x, m);
        }
        double[] values = new double[k];
        double[] vectors = eigenvectors(gram, k, wanted, values);
        double[] s = new double[r];
        double[] vt = new double[Math.multiplyExact(r, n)];
        double[] rows = n <= m ? vectors : product(vectors, wanted, m, x, n);
        double largest = Math.sqrt(Math.max(0, values[wanted - 1]));
        for (int i = 0; i < wanted; i++) {
            double value = Math.sqrt(Math.max(0, values[wanted - 1 - i]));
            if (value > 1e-12 * largest) {
                s[i] = value;
                double factor = n <= m ? 1 : 1 / value;
                for (int j = 0; j < n; j++) {
                    vt[i * n + j] = factor * rows[(wanted - 1 - i) * n + j];
                }
            }
        }
        return new RightVectors(s, vt);
    }

    /**
     * The largest singular values and their right vectors.
     *
     * @param s [r], falling
     * @param vt [r, n]
     */
    public record RightVectors(double[] s, double[] vt) {
    }

    /**
     * The eigenvectors of the largest eigenvalues, as rows, and these values, both rising.
     *
     * @param symmetric [n, n]; overwritten
     * @param wanted how many
     * @param values receives the values, [n]
     * @throws ArithmeticException when the matrix holds NaN or infinite values, or LAPACK does not converge
     */
    public static double[] eigenvectors(double[] symmetric, int n, int wanted, double[] values) {
        for (double value : symmetric) {
            if (!Double.isFinite(value)) {
                throw new ArithmeticException("a matrix with NaN or infinite values has no singular values");
            }
        }
        NativeLibraries.loadLapack();
        double[] vectors = new double[n * wanted];
        int failed = openblas.LAPACKE_dsyevr(openblas.LAPACK_COL_MAJOR, (byte) 'V', (byte) 'I', (byte) 'U', n,
                symmetric, n, 0, 0, n - wanted + 1, n, 0, new int[1], values, vectors, n, new int[2 * wanted]);
        if (failed != 0) {
            throw new ArithmeticException("LAPACK's dsyevr failed on a matrix of " + n + " x " + n + ": " + failed);
        }
        return vectors;
    }

    /** The inverse of a small matrix [b, b] that has one, by Gauss and Jordan with the largest pivot of each column. */
    public static double[] inverse(double[] a, int b) {
        double[] left = a.clone();
        double[] right = new double[a.length];
        for (int i = 0; i < b; i++) {
            right[i * b + i] = 1;
        }
        for (int column = 0; column < b; column++) {
            int pivot = column;
            for (int row = column + 1; row < b; row++) {
                pivot = Math.abs(left[row * b + column]) > Math.abs(left[pivot * b + column]) ? row : pivot;
            }
            swapRows(left, pivot, column, b);
            swapRows(right, pivot, column, b);
            double scale = 1 / left[column * b + column];
            scaleRow(left, column, scale, b);
            scaleRow(right, column, scale, b);
            for (int row = 0; row < b; row++) {
                double factor = left[row * b + column];
                if (row != column && factor != 0) {
                    subtractRow(left, row, column, factor, b);
                    subtractRow(right, row, column, factor, b);
                }
            }
        }
        return right;
    }

    private static void swapRows(double[] a, int i, int j, int b) {
        for (int k = 0; i != j && k < b; k++) {
            double kept = a[i * b + k];
            a[i * b + k] = a[j * b + k];
            a[j * b + k] = kept;
        }
    }

    private static void scaleRow(double[] a, int row, double factor, int b) {
        for (int k = 0; k < b; k++) {
            a[row * b + k] *= factor;
        }
    }

    private static void subtractRow(double[] a, int row, int other, double factor, int b) {
        for (int k = 0; k < b; k++) {
            a[row * b + k] -= factor * a[other * b + k];
        }
    }
}
