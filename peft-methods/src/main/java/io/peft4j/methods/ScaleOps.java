package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Scaling of columns, on a tape. */
final class ScaleOps {
    private ScaleOps() {
    }

    /**
     * {@code y[i, j] = x[i, j] * s[j]}: x, y [N, M], s of M elements. Gradients: {@code dx[i, j] = dy[i, j] * s[j]},
     * {@code ds[j] = sum over i of dy[i, j] * x[i, j]}.
     */
    static Variable columns(Tape tape, Variable x, Variable s) {
        Consumer<INDArray> forward = y -> scaled(x.value(), s.value(), y, false);
        INDArray y = tape.arena().allocate(x.value().dataType(), x.value().shape());
        forward.accept(y);
        return tape.recordRecomputable(y, forward, (out, dy) -> {
            s.addGradient((ds, accumulate) -> HeapRows.write(ds, products(dy, x.value()), accumulate));
            x.addGradient((dx, accumulate) -> scaled(dy, s.value(), dx, accumulate));
        }, List.of(x, s));
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

    private static void scaled(INDArray x, INDArray s, INDArray y, boolean accumulate) {
        float[] factors = Arrays.toFloats(s);
        HeapRows.forPieces(Arrays.rows(x), (piece, from, count) -> {
            float[] values = HeapRows.read(x, from, count);
            for (int row = 0; row < count; row++) {
                for (int j = 0; j < factors.length; j++) {
                    values[row * factors.length + j] *= factors[j];
                }
            }
            HeapRows.write(y, from, values, accumulate);
        });
    }

    private static double[] products(INDArray a, INDArray b) {
        int width = Arrays.columns(a);
        double[][] sums = new double[HeapRows.pieces(Arrays.rows(a))][width];
        HeapRows.forPieces(Arrays.rows(a), (piece, from, count) -> {
            float[] u = HeapRows.read(a, from, count);
            float[] v = HeapRows.read(b, from, count);
            double[] sum = sums[piece];
            for (int i = 0; i < u.length; i += width) {
                for (int j = 0; j < width; j++) {
                    sum[j] += (double) u[i + j] * v[i + j];
                }
            }
        });
        return HeapRows.sum(sums, width);
    }
}
