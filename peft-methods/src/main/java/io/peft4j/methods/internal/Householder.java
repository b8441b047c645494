package io.peft4j.methods.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Reflections of rows at r hyperplanes, with the gradients for their normals; in double, rounded once.
 *
 * <p>With unit vectors u_i from the columns of V [in, r]: a chain, {@code y = x H_r ... H_1} with
 * {@code H_i = I - 2 u_i u_i^T}, or, orthogonal to each other after Gram and Schmidt, all at once,
 * {@code y = x (I - 2 U U^T)}. For one reflection {@code y = x - 2 (x u) u} the gradients are
 * {@code dx = dy - 2 (dy u) u} and {@code du = -2 ((x u) dy + (dy u) x)}.
 */
final class Householder {
    private final boolean orthogonal;

    /** A chain, or all at once after Gram and Schmidt. */
    Householder(boolean orthogonal) {
        this.orthogonal = orthogonal;
    }

    Variable reflect(Tape tape, Variable x, Variable v) {
        double[][] u = units(v.value());
        INDArray y = tape.arena().allocate(x.value().dataType(), x.value().shape());
        reflect(x.value(), u, true, y, false);
        return tape.record(y, (out, dy) -> {
            v.addGradient((dv, accumulate) -> HeapRows.write(dv, gradient(x.value(), dy, v.value(), u), accumulate));
            x.addGradient((dx, accumulate) -> reflect(dy, u, false, dx, accumulate));
        }, List.of(x, v));
    }

    /** Multiplies the rows of a weight by {@code H_1 ... H_r}. */
    void merge(INDArray weight, INDArray v) {
        reflect(weight, units(v), false, weight, false);
    }

    /** Rows, by the last reflection first where {@code backward}. */
    private void reflect(INDArray x, double[][] u, boolean backward, INDArray y, boolean accumulate) {
        int width = Arrays.columns(x);
        HeapRows.forPieces(Arrays.rows(x), (piece, from, count) -> {
            float[] values = HeapRows.read(x, from, count);
            double[] row = new double[width];
            for (int first = 0; first < values.length; first += width) {
                read(values, first, row);
                double[] before = row.clone();
                for (int i = 0; i < u.length; i++) {
                    double[] unit = u[backward ? u.length - 1 - i : i];
                    add(row, -2 * dot(orthogonal ? before : row, unit), unit);
                }
                for (int j = 0; j < width; j++) {
                    values[first + j] = (float) row[j];
                }
            }
            HeapRows.write(y, from, values, accumulate);
        });
    }

    /** The gradient of V, as it is stored, [in, r]. */
    private double[] gradient(INDArray x, INDArray dy, INDArray v, double[][] u) {
        int width = Arrays.columns(x);
        double[][] sums = new double[HeapRows.pieces(Arrays.rows(x))][u.length * width];
        HeapRows.forPieces(Arrays.rows(x), (piece, from, count) -> {
            float[] xs = HeapRows.read(x, from, count);
            float[] dys = HeapRows.read(dy, from, count);
            double[] row = new double[width];
            double[] g = new double[width];
            for (int first = 0; first < xs.length; first += width) {
                read(xs, first, row);
                read(dys, first, g);
                addGradients(row, g, u, sums[piece]);
            }
        });
        double[] du = HeapRows.sum(sums, u.length * width);
        double[][] dv = orthogonal ? new GramSchmidt(v).gradient(du) : normalized(v, u, du);
        double[] result = new double[u.length * width];
        for (int i = 0; i < u.length; i++) {
            for (int j = 0; j < width; j++) {
                result[j * u.length + i] = dv[i][j];
            }
        }
        return result;
    }

    private void addGradients(double[] x, double[] dy, double[][] u, double[] sums) {
        double[] g = dy.clone();
        double[][] inputs = new double[u.length][];
        double[] row = x.clone();
        for (int i = u.length - 1; i >= 0; i--) {
            inputs[i] = orthogonal ? x : row.clone();
            add(row, -2 * dot(row, u[i]), u[i]);
        }
        for (int i = 0; i < u.length; i++) {
            double alongX = dot(inputs[i], u[i]);
            double alongG = dot(g, u[i]);
            for (int j = 0; j < g.length; j++) {
                sums[i * g.length + j] -= 2 * (alongX * g[j] + alongG * inputs[i][j]);
            }
            if (!orthogonal) {
                add(g, -2 * alongG, u[i]);
            }
        }
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

    private static void read(float[] values, int from, double[] row) {
        for (int j = 0; j < row.length; j++) {
            row[j] = values[from + j];
        }
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
