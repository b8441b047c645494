package io.peft4j.methods.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.array.support.DenseMath;
import io.peft4j.core.random.support.TorchRandom;

/**
 * The singular vectors that {@code torch.svd_lowrank(matrix, q, niter=2)} finds (Halko, Martinsson and Tropp 2009, <a
 * href="https://arxiv.org/abs/0909.4061">0909.4061</a>) from the random numbers of a seed, up to their signs.
 *
 * @param u left vectors [m, q] in c order
 * @param vt right vectors [q, n] in c order
 */
record SearchedDirections(double[] u, double[] vt) {
    private static final int ROUNDS = 2;

    /** Of a matrix [m, n]; q at most m and n. */
    static SearchedDirections of(float[] matrix, int m, int n, int q, long seed) {
        if (m < n) {
            SearchedDirections other = of(Arrays.transposed(matrix, m, n), n, m, q, seed);
            return new SearchedDirections(transposed(other.vt, q, m), transposed(other.u, n, q));
        }
        double[] a = Arrays.doubles(matrix);
        double[] at = transposed(a, m, n);
        double[] q0 = Arrays.doubles(new TorchRandom(seed).normal(n * q, 1));
        double[] basis = orthogonal(DenseMath.product(a, m, n, q0, q), m, q);
        for (int round = 0; round < ROUNDS; round++) {
            double[] right = orthogonal(DenseMath.product(at, n, m, basis, q), n, q);
            basis = orthogonal(DenseMath.product(a, m, n, right, q), m, q);
        }
        double[] small = DenseMath.product(transposed(basis, m, q), q, m, a, n);
        SingularValues values = SingularValues.whole(small, q, n, q);
        return new SearchedDirections(DenseMath.product(basis, m, q, values.u(), q), values.vt());
    }

    /** Orthogonal columns that span those of a matrix. */
    private static double[] orthogonal(double[] columns, int m, int q) {
        return SingularValues.whole(columns, m, q, q).u();
    }

    private static double[] transposed(double[] a, int rows, int columns) {
        double[] result = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            result[i % columns * rows + i / columns] = a[i];
        }
        return result;
    }
}
