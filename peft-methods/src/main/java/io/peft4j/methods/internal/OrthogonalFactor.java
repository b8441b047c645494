package io.peft4j.methods.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.array.support.DenseMath;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The orthogonal factor Q [m, n] of {@code A = Q R}, A [m, n], n at most m, with the signs that LAPACK's reflections
 * give: an element of R's diagonal has the other sign than the element that it reflects; in double, rounded once.
 *
 * <p>Gradient: {@code dA = (dQ + Q M) R^-T}, M symmetric with the upper triangle of {@code -Q^T dQ}.
 */
final class OrthogonalFactor {
    private final int m;
    private final int n;
    private final double[] q;
    private final double[] r;

    private OrthogonalFactor(double[] a, int m, int n) {
        this.m = m;
        this.n = n;
        this.q = new double[m * n];
        this.r = a;
        double[][] normals = new double[n][];
        for (int k = 0; k < n; k++) {
            normals[k] = normal(k);
            reflect(normals[k], k, r, k);
            q[k * n + k] = 1;
        }
        for (int k = n - 1; k >= 0; k--) {
            reflect(normals[k], k, q, 0);
        }
    }

    /** Q on a tape, FLOAT. */
    static Variable of(Tape tape, Variable a) {
        OrthogonalFactor factor = new OrthogonalFactor(Arrays.doubles(Arrays.toFloats(a.value())), a.rows(),
                a.columns());
        INDArray y = tape.allocateFloat(a.rows(), a.columns());
        Arrays.write(y, 0, Arrays.floats(factor.q), 0, factor.q.length);
        return tape.record(y, (out, dy) -> a.addGradient((d, accumulate) -> HeapRows.write(d,
                factor.gradient(Arrays.doubles(Arrays.toFloats(dy))), accumulate)), List.of(a));
    }

    /** The normal of the reflection that clears column k below its diagonal; zero where nothing is below. */
    private double[] normal(int k) {
        double[] v = new double[m];
        double below = 0;
        double norm = 0;
        for (int i = k; i < m; i++) {
            v[i] = r[i * n + k];
            norm += v[i] * v[i];
            below += i > k ? v[i] * v[i] : 0;
        }
        if (below == 0) {
            return new double[m];
        }
        v[k] += Math.copySign(Math.sqrt(norm), v[k]);
        return v;
    }

    /** Multiplies the columns of a matrix from {@code first} on by {@code I - 2 v v^T / |v|^2}. */
    private void reflect(double[] v, int k, double[] matrix, int first) {
        double square = 0;
        for (int i = k; i < m; i++) {
            square += v[i] * v[i];
        }
        for (int j = first; j < n && square > 0; j++) {
            double dot = 0;
            for (int i = k; i < m; i++) {
                dot += v[i] * matrix[i * n + j];
            }
            for (int i = k; i < m; i++) {
                matrix[i * n + j] -= 2 * dot / square * v[i];
            }
        }
    }

    private double[] gradient(double[] dq) {
        double[] product = DenseMath.product(Arrays.doubles(Arrays.transposed(Arrays.floats(q), m, n)), n, m, dq, n);
        double[] symmetric = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = i; j < n; j++) {
                symmetric[i * n + j] = -product[i * n + j];
                symmetric[j * n + i] = -product[i * n + j];
            }
        }
        double[] sum = DenseMath.product(q, m, n, symmetric, n);
        double[] square = new double[n * n];
        for (int i = 0; i < m * n; i++) {
            sum[i] += dq[i];
        }
        for (int i = 0; i < n * n; i++) {
            square[i] = i / n <= i % n ? r[i] : 0;
        }
        return DenseMath.productTransposed(sum, m, n, DenseMath.inverse(square, n), n);
    }
}
