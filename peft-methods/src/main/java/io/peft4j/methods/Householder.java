package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.DenseMath;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.peft.method.CachedValue;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Reflections of rows at r hyperplanes as one update of rank r, with the gradients for their normals.
 *
 * <p>With unit vectors u_i from the columns of V [in, r], side by side in U, a chain {@code y = x H_r ... H_1}, {@code
 * H_i = I - 2 u_i u_i^T}, is {@code y = x - (x U) S^-1 U^T}, where S is {@code I / 2} and the part of {@code U^T U}
 * below the diagonal. Orthogonal to each other after Gram and Schmidt, all at once, S is {@code I / 2} alone. U and
 * {@code B = U S^-T} are computed in double and rounded once. Gradients: {@code dU += dB S^-1}, {@code dS = -(S^-1 U^T
 * dB S^-1)^T}, of which what is below the diagonal reaches U.
 */
final class Householder {
    private final boolean orthogonal;
    private final CachedValue remembered = new CachedValue();

    /** A chain, or all at once after Gram and Schmidt. */
    Householder(boolean orthogonal) {
        this.orthogonal = orthogonal;
    }

    Variable reflect(Tape tape, Variable x, Variable v) {
        int r = v.columns();
        int width = v.rows();
        float[] factors = tape.isRecording() ? factors(units(v.value()))
                : remembered.of(v.value(), () -> factors(units(v.value())));
        INDArray a = tape.allocateFloat(r, width);
        INDArray b = tape.allocateFloat(width, r);
        Arrays.write(a, 0, factors, 0, r * width);
        Arrays.write(b, 0, factors, r * width, r * width);
        Variable left = tape.record(a, (out, da) -> addGradient(v, Arrays.doubles(Arrays.toFloats(da))), List.of(v));
        Variable right = tape.record(b,
                (out, db) -> addGradient(v, gradientOfRight(units(v.value()), Arrays.doubles(Arrays.toFloats(db)))),
                List.of(v));
        return MatrixOps.addLowRank(tape, ElementwiseOps.scale(tape, x, 1), x, left, right, -1);
    }

    /** U^T [r, in], then B [in, r]. */
    private float[] factors(double[][] u) {
        int r = u.length;
        int width = u[0].length;
        double[] inverse = inverse(u);
        float[] factors = new float[2 * r * width];
        for (int i = 0; i < r; i++) {
            double[] column = new double[width];
            for (int k = 0; k < r; k++) {
                add(column, inverse[i * r + k], u[k]);
            }
            for (int j = 0; j < width; j++) {
                factors[i * width + j] = (float) u[i][j];
                factors[r * width + j * r + i] = (float) column[j];
            }
        }
        return factors;
    }

    /** S^-1 [r, r]. */
    private double[] inverse(double[][] u) {
        int r = u.length;
        double[] s = new double[r * r];
        for (int i = 0; i < r; i++) {
            s[i * r + i] = 0.5;
            for (int j = 0; j < i && !orthogonal; j++) {
                s[i * r + j] = dot(u[i], u[j]);
            }
        }
        return DenseMath.inverse(s, r);
    }

    /** The gradient of U^T [r, in] from that of B [in, r]. */
    private double[] gradientOfRight(double[][] u, double[] db) {
        int r = u.length;
        int width = u[0].length;
        double[] inverse = inverse(u);
        double[] du = DenseMath.product(db, width, r, inverse, r);
        double[][] sums = new double[r][width];
        for (int i = 0; i < du.length; i++) {
            sums[i % r][i / r] = du[i];
        }
        if (!orthogonal) {
            double[] all = new double[r * width];
            for (int i = 0; i < r; i++) {
                System.arraycopy(u[i], 0, all, i * width, width);
            }
            double[] outer = DenseMath.product(DenseMath.product(inverse, r, r,
                    DenseMath.product(all, r, width, db, r), r), r, r, inverse, r);
            for (int i = 0; i < r; i++) {
                for (int j = 0; j < i; j++) {
                    add(sums[i], -outer[j * r + i], u[j]);
                    add(sums[j], -outer[j * r + i], u[i]);
                }
            }
        }
        double[] result = new double[r * width];
        for (int i = 0; i < r; i++) {
            System.arraycopy(sums[i], 0, result, i * width, width);
        }
        return result;
    }

    /** From the gradient of U^T, one unit vector after the other, to that of V, as it is stored, [in, r]. */
    private void addGradient(Variable v, double[] du) {
        v.addGradient((gradient, accumulate) -> {
            double[][] u = units(v.value());
            double[][] dv = orthogonal ? new GramSchmidt(v.value()).gradient(du) : normalized(v.value(), u, du);
            double[] result = new double[du.length];
            for (int i = 0; i < result.length; i++) {
                result[i] = dv[i % u.length][i / u.length];
            }
            HeapRows.write(gradient, result, accumulate);
        });
    }

    /** Multiplies the rows of a weight by {@code H_1 ... H_r}. */
    void merge(INDArray weight, INDArray v) {
        double[][] u = units(v);
        int width = Arrays.columns(weight);
        HeapRows.forPieces(Arrays.rows(weight), (piece, from, count) -> {
            float[] values = HeapRows.read(weight, from, count);
            double[] row = new double[width];
            for (int first = 0; first < values.length; first += width) {
                for (int j = 0; j < width; j++) {
                    row[j] = values[first + j];
                }
                double[] before = row.clone();
                for (double[] unit : u) {
                    add(row, -2 * dot(orthogonal ? before : row, unit), unit);
                }
                for (int j = 0; j < width; j++) {
                    values[first + j] = (float) row[j];
                }
            }
            HeapRows.write(weight, from, values, false);
        });
    }

    /** Of {@code u = v / |v|}: {@code dv = (du - (du u) u) / |v|}. */
    private static double[][] normalized(INDArray v, double[][] u, double[] du) {
        double[][] columns = columns(v);
        double[][] dv = new double[u.length][];
        for (int i = 0; i < u.length; i++) {
            int width = u[i].length;
            dv[i] = java.util.Arrays.copyOfRange(du, i * width, (i + 1) * width);
            add(dv[i], -dot(dv[i], u[i]), u[i]);
            scale(dv[i], 1 / norm(columns[i]));
        }
        return dv;
    }

    private double[][] units(INDArray v) {
        if (orthogonal) {
            return new GramSchmidt(v).units;
        }
        double[][] u = columns(v);
        for (double[] unit : u) {
            scale(unit, 1 / norm(unit));
        }
        return u;
    }

    /** Columns made orthogonal one after the other, and what of that the gradients need. */
    private static final class GramSchmidt {
        private final double[][] units;
        /** {@code partial[i][j]}: column i before its part along unit j is taken off. */
        private final double[][][] partial;
        private final double[] norms;

        GramSchmidt(INDArray v) {
            double[][] columns = columns(v);
            units = new double[columns.length][];
            partial = new double[columns.length][columns.length][];
            norms = new double[columns.length];
            for (int i = 0; i < columns.length; i++) {
                double[] u = columns[i];
                for (int j = 0; j < i; j++) {
                    partial[i][j] = u.clone();
                    add(u, -dot(units[j], u), units[j]);
                }
                norms[i] = norm(u);
                scale(u, 1 / norms[i]);
                units[i] = u;
            }
        }

        double[][] gradient(double[] du) {
            int width = units[0].length;
            double[][] dUnits = new double[units.length][];
            double[][] dv = new double[units.length][];
            for (int i = 0; i < units.length; i++) {
                dUnits[i] = java.util.Arrays.copyOfRange(du, i * width, (i + 1) * width);
            }
            for (int i = units.length - 1; i >= 0; i--) {
                double[] g = dUnits[i];
                add(g, -dot(g, units[i]), units[i]);
                scale(g, 1 / norms[i]);
                for (int j = i - 1; j >= 0; j--) {
                    double along = dot(g, units[j]);
                    add(dUnits[j], -along, partial[i][j]);
                    add(dUnits[j], -dot(units[j], partial[i][j]), g);
                    add(g, -along, units[j]);
                }
                dv[i] = g;
            }
            return dv;
        }
    }

    private static double[][] columns(INDArray v) {
        float[] values = Arrays.toFloats(v);
        int r = Arrays.columns(v);
        double[][] columns = new double[r][values.length / r];
        for (int i = 0; i < values.length; i++) {
            columns[i % r][i / r] = values[i];
        }
        return columns;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double norm(double[] a) {
        return Math.sqrt(dot(a, a));
    }

    private static void add(double[] a, double factor, double[] b) {
        for (int i = 0; i < a.length; i++) {
            a[i] += factor * b[i];
        }
    }

    private static void scale(double[] a, double factor) {
        for (int i = 0; i < a.length; i++) {
            a[i] *= factor;
        }
    }
}
