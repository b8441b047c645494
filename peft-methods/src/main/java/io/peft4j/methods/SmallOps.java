package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntPredicate;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations of small networks on a tape, in f32 whatever the base model computes in. */
final class SmallOps {
    private SmallOps() {
    }

    /** {@code y = x W^T + b}: x [N, I], w [O, I], b [O], y [N, O] FLOAT. */
    static Variable linear(Tape tape, Variable x, Variable w, Variable b) {
        return linear(tape, x, w, b, 0, w.rows());
    }

    /** The columns from {@code from} to {@code to} of {@link #linear(Tape, Variable, Variable, Variable)}. */
    static Variable linear(Tape tape, Variable x, Variable w, Variable b, int from, int to) {
        Kernels kernels = tape.kernels();
        INDArray part = Arrays.rowRange(w.value(), from, to);
        INDArray y = tape.allocateFloat(x.rows(), to - from);
        kernels.matmul(x.value(), false, part, true, y, 1f, false);
        float[] bias = new float[to - from];
        Arrays.read(b.value(), from, bias, 0, bias.length);
        float[] values = Arrays.toFloats(y);
        for (int i = 0; i < values.length; i++) {
            values[i] += bias[i % bias.length];
        }
        Arrays.write(y, 0, values, 0, values.length);
        return tape.record(y, (out, dy) -> {
            w.addGradient((dw, accumulate) -> {
                if (!accumulate) {
                    Arrays.clear(dw);
                }
                kernels.matmul(dy, true, x.value(), false, Arrays.rowRange(dw, from, to), 1f, true);
            });
            b.addGradient((db, accumulate) -> addColumnSums(dy, db, from, accumulate));
            x.addGradient((dx, accumulate) -> kernels.matmul(dy, false, part, false, dx, 1f, accumulate));
        }, List.of(x, w, b));
    }

    private static void addColumnSums(INDArray dy, INDArray db, int from, boolean accumulate) {
        double[] sums = new double[Math.toIntExact(db.length())];
        float[] values = Arrays.toFloats(dy);
        int width = Arrays.columns(dy);
        for (int i = 0; i < values.length; i++) {
            sums[from + i % width] += values[i];
        }
        HeapRows.write(db, sums, accumulate);
    }

    /** The columns from {@code from} to {@code to} of a matrix, row by row. */
    static float[] columns(float[] matrix, int width, int from, int to) {
        float[] part = new float[matrix.length / width * (to - from)];
        for (int i = 0; i < part.length; i++) {
            part[i] = matrix[i / (to - from) * width + from + i % (to - from)];
        }
        return part;
    }

    /**
     * The columns from {@code from} to {@code to}: x [N, M], y [N, to - from].
     *
     * @param fixed rows of x that get no gradient
     */
    static Variable columns(Tape tape, Variable x, int from, int to, IntPredicate fixed) {
        int width = to - from;
        int rows = x.rows();
        int all = x.columns();
        INDArray y = tape.allocateFloat(rows, width);
        float[] row = new float[width];
        for (int i = 0; i < rows; i++) {
            Arrays.read(x.value(), (long) i * all + from, row, 0, width);
            Arrays.write(y, (long) i * width, row, 0, width);
        }
        return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> {
            double[] sums = new double[rows * all];
            float[] values = Arrays.toFloats(dy);
            for (int i = 0; i < values.length; i++) {
                sums[i / width * all + from + i % width] = fixed.test(i / width) ? 0 : values[i];
            }
            HeapRows.write(dx, sums, accumulate);
        }), List.of(x));
    }

    /** The elements of x as a matrix with {@code columns} columns, FLOAT. */
    static Variable matrix(Tape tape, Variable x, int columns) {
        float[] values = Arrays.toFloats(x.value());
        INDArray y = tape.allocateFloat(values.length / columns, columns);
        Arrays.write(y, 0, values, 0, values.length);
        return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> {
            HeapRows.write(dx, Arrays.toFloats(dy), accumulate);
        }), List.of(x));
    }

    /** The rows from {@code from} to {@code to}, FLOAT. */
    static Variable rows(Tape tape, Variable x, int from, int to) {
        float[] values = HeapRows.read(x.value(), from, to - from);
        INDArray y = tape.allocateFloat(to - from, x.columns());
        Arrays.write(y, 0, values, 0, values.length);
        return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> {
            if (!accumulate) {
                Arrays.clear(dx);
            }
            HeapRows.write(dx, from, Arrays.toFloats(dy), true);
        }), List.of(x));
    }

    /**
     * A matrix of zeros but for the elements of some arrays, FLOAT: {@code y[places[k][i]] = x_k[i]}, each place once.
     *
     * @param places for each array the places of its elements, row by row
     */
    static Variable placed(Tape tape, List<Variable> parts, int[][] places, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int k = 0; k < places.length; k++) {
            float[] part = Arrays.toFloats(parts.get(k).value());
            for (int i = 0; i < part.length; i++) {
                values[places[k][i]] = part[i];
            }
        }
        INDArray y = tape.allocateFloat(rows, columns);
        Arrays.write(y, 0, values, 0, values.length);
        return tape.record(y, (out, dy) -> {
            float[] dys = Arrays.toFloats(dy);
            for (int k = 0; k < places.length; k++) {
                int[] own = places[k];
                parts.get(k).addGradient((dx, accumulate) -> {
                    double[] gradient = new double[own.length];
                    for (int i = 0; i < own.length; i++) {
                        gradient[i] = dys[own[i]];
                    }
                    HeapRows.write(dx, gradient, accumulate);
                });
            }
        }, parts);
    }

    /** {@code y = f(x)}, elementwise, FLOAT. Gradient: {@code dx = dy * f'(x)}. */
    static Variable map(Tape tape, Variable x, DoubleUnaryOperator f, DoubleUnaryOperator derivative) {
        float[] values = Arrays.toFloats(x.value());
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) f.applyAsDouble(values[i]);
        }
        INDArray y = tape.allocateFloat(x.value().shape());
        Arrays.write(y, 0, values, 0, values.length);
        return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> {
            float[] xs = Arrays.toFloats(x.value());
            float[] dys = Arrays.toFloats(dy);
            double[] product = new double[xs.length];
            for (int i = 0; i < xs.length; i++) {
                product[i] = dys[i] * derivative.applyAsDouble(xs[i]);
            }
            HeapRows.write(dx, product, accumulate);
        }), List.of(x));
    }

    /** {@code max(x, 0)}. */
    static Variable relu(Tape tape, Variable x) {
        return map(tape, x, v -> Math.max(v, 0), v -> v > 0 ? 1 : 0);
    }

    /** The hyperbolic tangent. */
    static Variable tanh(Tape tape, Variable x) {
        return map(tape, x, Math::tanh, v -> 1 - Math.tanh(v) * Math.tanh(v));
    }

    /** {@code y = b * (1 - s)}, elementwise over vectors, FLOAT. Gradients: {@code dy * (1 - s)}, {@code -dy * b}. */
    static Variable rest(Tape tape, Variable b, Variable s) {
        float[] bs = Arrays.toFloats(b.value());
        float[] factors = Arrays.toFloats(s.value());
        float[] values = new float[bs.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = bs[i] * (1 - factors[i]);
        }
        INDArray y = tape.allocateFloat(values.length);
        Arrays.write(y, 0, values, 0, values.length);
        return tape.record(y, (out, dy) -> {
            float[] dys = Arrays.toFloats(dy);
            double[] db = new double[dys.length];
            double[] ds = new double[dys.length];
            for (int i = 0; i < dys.length; i++) {
                db[i] = dys[i] * (1.0 - factors[i]);
                ds[i] = -(double) dys[i] * bs[i];
            }
            b.addGradient((d, accumulate) -> HeapRows.write(d, db, accumulate));
            s.addGradient((d, accumulate) -> HeapRows.write(d, ds, accumulate));
        }, List.of(b, s));
    }
}
