package io.peft4j.core.array;

import io.peft4j.core.Internal;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.openblas.global.openblas;

/**
 * The largest singular values of a matrix M [m, n] and their vectors, in double, by LAPACK: {@code M ~ U diag(s) V^T}.
 *
 * @param u U [m, r] in c order
 * @param s s [r], falling
 * @param vt V^T [r, n] in c order
 * @param lost root of the summed squares of the singular values that were left out: the norm of the difference
 * @param norm root of the summed squares of all singular values: the norm of M
 */
@Internal(shared = true)
public record SingularValues(double[] u, double[] s, double[] vt, double lost, double norm) {
    /** Up to this share of all singular values, eigenvalues are two to three times as fast as a whole decomposition. */
    private static final int SHARE = 4;
    /**
     * Eigenvalues are squares: below this share of the largest singular value, a value and its vectors would have
     * errors above 1e-8, and the whole matrix is decomposed instead.
     */
    private static final double SMALLEST = 1e-4;

    /**
     * Decomposes a matrix: where only few of its singular values are wanted, by eigenvalues of the smaller of
     * {@code M^T M} and {@code M M^T}, else as a whole.
     *
     * @param matrix M in c order; overwritten
     * @param m rows
     * @param n columns
     * @param rank r; where the matrix has fewer rows or columns, the rest is zero
     * @throws ArithmeticException when M holds NaN or infinite values, or LAPACK does not converge
     */
    public static SingularValues of(double[] matrix, int m, int n, int rank) {
        if (matrix.length != (long) m * n || rank < 1) {
            throw new IllegalArgumentException(matrix.length + " values, " + m + " rows, " + n + " columns, rank "
                    + rank);
        }
        for (double value : matrix) {
            if (!Double.isFinite(value)) {
                throw new ArithmeticException("a matrix with NaN or infinite values has no singular values");
            }
        }
        return rank <= Math.min(m, n) / SHARE
                ? largest(matrix, m, n, rank).orElseGet(() -> whole(matrix, m, n, rank))
                : whole(matrix, m, n, rank);
    }

    private static Optional<SingularValues> largest(double[] matrix, int m, int n, int rank) {
        DenseMath.RightVectors right = DenseMath.rightVectors(matrix, m, n, rank);
        double[] s = right.s();
        if (!(s[rank - 1] > SMALLEST * s[0])) {
            return Optional.empty();
        }
        double[] us = DenseMath.productTransposed(matrix, m, n, right.vt(), rank);
        double[] product = DenseMath.product(us, m, rank, right.vt(), n);
        double lost = 0;
        double all = 0;
        for (int i = 0; i < matrix.length; i++) {
            lost += (matrix[i] - product[i]) * (matrix[i] - product[i]);
            all += matrix[i] * matrix[i];
        }
        for (int i = 0; i < us.length; i++) {
            us[i] /= s[i % rank];
        }
        return Optional.of(new SingularValues(us, s, right.vt(), Math.sqrt(lost), Math.sqrt(all)));
    }

    /** As {@link #of}, always by LAPACK's {@code gesdd}, on which the signs of the vectors depend. */
    public static SingularValues whole(double[] matrix, int m, int n, int rank) {
        NativeLibraries.loadLapack();
        int k = Math.min(m, n);
        double[] s = new double[k];
        double[] u = new double[m * k];
        double[] vt = new double[k * n];
        int failed = openblas.LAPACKE_dgesdd(openblas.LAPACK_ROW_MAJOR, (byte) 'S', m, n, matrix, n, s, u, k, vt, n);
        if (failed != 0) {
            throw new ArithmeticException("LAPACK's dgesdd failed on a matrix of " + m + " x " + n + ": " + failed);
        }
        double lost = 0;
        double all = 0;
        for (int i = k - 1; i >= 0; i--) {
            lost += i >= rank ? s[i] * s[i] : 0;
            all += s[i] * s[i];
        }
        double[] left = new double[m * rank];
        for (int i = 0; i < m; i++) {
            System.arraycopy(u, i * k, left, i * rank, Math.min(rank, k));
        }
        return new SingularValues(left, Arrays.copyOf(s, rank), Arrays.copyOf(vt, Math.multiplyExact(rank, n)),
                Math.sqrt(lost), Math.sqrt(all));
    }
}
