package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The product of rows with a matrix of circulant blocks, frequency by frequency: {@code y[n, m B + t] = 1 / in * sum
 * over k, j of w[m, k, (j - t) mod B] x[n, k B + j]}: x [N, in], w [out / B, in / B, B], y [N, out].
 *
 * <p>A real Fourier basis Q [B, B] has for each frequency a row of cosines and one of sines. With {@code X = Q x^T} of
 * all blocks and {@code W = c Q w^T}, each row of X is a matrix [N, in / B], each row of W one [out / B, in / B], and
 * {@code Yc = Xc Wc^T + Xs Ws^T}, {@code Ys = Xs Wc^T - Xc Ws^T}; then {@code y = Y^T Q}. Gradients go the same way
 * back. {@code 2 N in out / B} multiplications, and some {@code N (in + out) B}.
 */
final class CirculantProduct {
    private final Tape tape;
    private final Kernels kernels;
    private final int size;
    private final int rows;
    private final int in;
    private final int out;
    /** Q with rows of length 1, and 1 / in times Q with cosines and sines as they are. */
    private final INDArray unit;
    private final INDArray plain;

    private CirculantProduct(Tape tape, Variable x, Variable w, int size) {
        this.tape = tape;
        this.kernels = tape.kernels();
        this.size = size;
        this.rows = x.rows();
        this.in = x.columns() / size;
        this.out = Math.toIntExact(w.value().length() / size) / in;
        this.unit = basis(true, 1);
        this.plain = basis(false, 1.0 / x.columns());
    }

    /** The product, of the type of x. */
    static Variable of(Tape tape, Variable x, Variable w, int size) {
        CirculantProduct forward = new CirculantProduct(tape, x, w, size);
        INDArray y = tape.allocate(x.rows(), (long) forward.out * size);
        forward.compute(x.value(), w.value(), y);
        return tape.record(y, (output, dy) -> {
            CirculantProduct back = new CirculantProduct(tape, x, w, size);
            INDArray dys = back.spectrum(back.unit, dy);
            x.addGradient((dx, accumulate) -> back.gradientOfInput(dys, w.value(), dx, accumulate));
            w.addGradient((dw, accumulate) -> back.gradientOfWeight(dys, x.value(), dw, accumulate));
            back.free(dys, back.unit, back.plain);
        }, List.of(x, w));
    }

    private INDArray basis(boolean normalized, double factor) {
        float[] q = new float[size * size];
        for (int i = 0; i < size; i++) {
            boolean single = isSingle(i);
            double scale = !normalized ? factor : Math.sqrt((single ? 1.0 : 2.0) / size);
            for (int j = 0; j < size; j++) {
                double angle = 2 * Math.PI * ((i + 1) / 2 * j % size) / size;
                q[i * size + j] = (float) (scale * (single || i % 2 == 1 ? Math.cos(angle) : Math.sin(angle)));
            }
        }
        INDArray basis = tape.allocateFloat(size, size);
        Arrays.write(basis, 0, q, 0, q.length);
        return basis;
    }

    /** Whether a row has no sines beside it. */
    private boolean isSingle(int row) {
        return row == 0 || row == size - 1 && size % 2 == 0;
    }

    /** {@code Q v^T} of the blocks of v, [B, blocks] FLOAT. */
    private INDArray spectrum(INDArray basis, INDArray v) {
        long blocks = v.length() / size;
        INDArray result = tape.allocateFloat(size, blocks);
        kernels.matmul(basis, false, Arrays.reshaped(v, blocks, size), true, result, 1f, false);
        return result;
    }

    /** {@code Y^T Q} as blocks of a matrix, which are added where asked. */
    private void write(INDArray spectrum, INDArray basis, INDArray target, boolean accumulate) {
        kernels.matmul(spectrum, true, basis, false, Arrays.reshaped(target, target.length() / size, size), 1f,
                accumulate);
    }

    /** A row of a spectrum as a matrix. */
    private static INDArray row(INDArray spectrum, int i, int rows, int columns) {
        return Arrays.reshaped(Arrays.rowRange(spectrum, i, i + 1), rows, columns);
    }

    private void compute(INDArray x, INDArray w, INDArray y) {
        INDArray xs = spectrum(unit, x);
        INDArray ws = spectrum(plain, w);
        INDArray ys = tape.allocateFloat(size, (long) rows * out);
        forFrequencies((c, s) -> {
            multiply(row(xs, c, rows, in), row(ws, c, out, in), true, row(ys, c, rows, out), 1, false);
            if (c != s) {
                multiply(row(xs, s, rows, in), row(ws, s, out, in), true, row(ys, c, rows, out), 1, true);
                multiply(row(xs, s, rows, in), row(ws, c, out, in), true, row(ys, s, rows, out), 1, false);
                multiply(row(xs, c, rows, in), row(ws, s, out, in), true, row(ys, s, rows, out), -1, true);
            }
        });
        write(ys, unit, y, false);
        free(xs, ws, ys, unit, plain);
    }

    /** {@code dXc = dYc Wc - dYs Ws}, {@code dXs = dYc Ws + dYs Wc}. */
    private void gradientOfInput(INDArray dys, INDArray w, INDArray dx, boolean accumulate) {
        INDArray ws = spectrum(plain, w);
        INDArray dxs = tape.allocateFloat(size, (long) rows * in);
        forFrequencies((c, s) -> {
            multiply(row(dys, c, rows, out), row(ws, c, out, in), false, row(dxs, c, rows, in), 1, false);
            if (c != s) {
                multiply(row(dys, s, rows, out), row(ws, s, out, in), false, row(dxs, c, rows, in), -1, true);
                multiply(row(dys, c, rows, out), row(ws, s, out, in), false, row(dxs, s, rows, in), 1, false);
                multiply(row(dys, s, rows, out), row(ws, c, out, in), false, row(dxs, s, rows, in), 1, true);
            }
        });
        write(dxs, unit, dx, accumulate);
        free(ws, dxs);
    }

    /** {@code dWc = dYc^T Xc + dYs^T Xs}, {@code dWs = dYc^T Xs - dYs^T Xc}. */
    private void gradientOfWeight(INDArray dys, INDArray x, INDArray dw, boolean accumulate) {
        INDArray xs = spectrum(unit, x);
        INDArray dws = tape.allocateFloat(size, (long) out * in);
        forFrequencies((c, s) -> {
            outer(row(dys, c, rows, out), row(xs, c, rows, in), row(dws, c, out, in), 1, false);
            if (c != s) {
                outer(row(dys, s, rows, out), row(xs, s, rows, in), row(dws, c, out, in), 1, true);
                outer(row(dys, c, rows, out), row(xs, s, rows, in), row(dws, s, out, in), 1, false);
                outer(row(dys, s, rows, out), row(xs, c, rows, in), row(dws, s, out, in), -1, true);
            }
        });
        write(dws, plain, dw, accumulate);
        free(xs, dws);
    }

    /** Is given the rows of cosines and of sines of a frequency; the same twice where there are no sines. */
    @FunctionalInterface
    private interface Frequency {
        void run(int cosines, int sines);
    }

    private void forFrequencies(Frequency work) {
        for (int i = 0; i < size; i++) {
            if (isSingle(i)) {
                work.run(i, i);
            } else {
                work.run(i, ++i);
            }
        }
    }

    private void multiply(INDArray a, INDArray w, boolean transposed, INDArray result, float factor,
            boolean accumulate) {
        kernels.matmul(a, false, w, transposed, result, factor, accumulate);
    }

    private void outer(INDArray a, INDArray b, INDArray result, float factor, boolean accumulate) {
        kernels.matmul(a, true, b, false, result, factor, accumulate);
    }

    private void free(INDArray... arrays) {
        for (INDArray array : arrays) {
            tape.arena().free(array);
        }
    }
}
