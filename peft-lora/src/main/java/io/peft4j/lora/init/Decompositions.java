package io.peft4j.lora.init;

import io.peft4j.core.weight.FrozenWeight;

/** Weights in double, and orthonormal bases; matrices are in row order. */
final class Decompositions {
    private Decompositions() {
    }

    /** All values of a weight, in row order. */
    static double[] values(FrozenWeight weight) {
        double[] values = new double[weight.rows() * weight.columns()];
        float[] row = new float[weight.columns()];
        for (int i = 0; i < weight.rows(); i++) {
            weight.readRow(i, row, 0);
            for (int j = 0; j < row.length; j++) {
                values[i * row.length + j] = row[j];
            }
        }
        return values;
    }

    /**
     * An orthonormal basis Q [m, r] of the first r columns of a matrix [m, n], by Gram and Schmidt with every column
     * taken twice; columns that depend on others give zeros.
     */
    static double[] orthonormal(double[] matrix, int m, int n, int rank) {
        double[] q = new double[m * rank];
        for (int k = 0; k < rank; k++) {
            double before = 0;
            for (int i = 0; i < m; i++) {
                q[i * rank + k] = matrix[i * n + k];
                before += q[i * rank + k] * q[i * rank + k];
            }
            for (int pass = 0; pass < 2; pass++) {
                for (int l = 0; l < k; l++) {
                    double dot = 0;
                    for (int i = 0; i < m; i++) {
                        dot += q[i * rank + l] * q[i * rank + k];
                    }
                    for (int i = 0; i < m; i++) {
                        q[i * rank + k] -= dot * q[i * rank + l];
                    }
                }
            }
            double after = 0;
            for (int i = 0; i < m; i++) {
                after += q[i * rank + k] * q[i * rank + k];
            }
            double factor = after > 1e-24 * before ? 1 / Math.sqrt(after) : 0;
            for (int i = 0; i < m; i++) {
                q[i * rank + k] *= factor;
            }
        }
        return q;
    }

    /** A matrix [rows, columns] as [columns, rows]. */
    static double[] transpose(double[] matrix, int rows, int columns) {
        double[] result = new double[matrix.length];
        for (int i = 0; i < matrix.length; i++) {
            result[i % columns * rows + i / columns] = matrix[i];
        }
        return result;
    }
}
