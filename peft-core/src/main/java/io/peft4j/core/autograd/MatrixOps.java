package io.peft4j.core.autograd;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Matrix products on a tape. A weight is stored {@code [out, in]}, so a layer computes {@code y = x W^T}. */
public final class MatrixOps {
    private MatrixOps() {
    }

    /** {@code y = x W^T} with a frozen weight: x [N, I], w [O, I], y [N, O]. Gradient: {@code dx = dy W}. */
    @Internal
    public static Variable linear(Tape tape, Variable x, FrozenWeight w) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.allocate(x.rows(), w.rows());
        Consumer<INDArray> forward = result -> kernels.linear(x.value(), w, result, false);
        forward.accept(y);
        return tape.recordProduct(y, forward,
                (out, dy) -> x.addGradient((dx, accumulate) -> kernels.linearBackward(dy, w, dx, accumulate)),
                List.of(x));
    }

    /** The values of a frozen weight as a FLOAT matrix [O, I], without gradient. */
    @Internal
    public static Variable values(Tape tape, FrozenWeight w) {
        if (w instanceof DenseWeight dense && dense.values().dataType() == DataType.FLOAT) {
            return tape.constant(dense.values());
        }
        INDArray y = tape.allocateFloat(w.rows(), w.columns());
        HeapRows.forPieces(w.rows(), (piece, from, count) -> {
            float[] rows = new float[count * w.columns()];
            for (int i = 0; i < count; i++) {
                w.readRow(from + i, rows, i * w.columns());
            }
            HeapRows.write(y, from, rows, false);
        });
        return tape.record(y, (out, dy) -> {
        }, List.of());
    }

    /** {@code c = a b^T}: a [M, K], b [L, K], c [M, L]. Gradients: {@code da = dc b}, {@code db = dc^T a}. */
    public static Variable matmulTransposed(Tape tape, Variable a, Variable b) {
        Kernels kernels = tape.kernels();
        INDArray c = tape.allocate(a.rows(), b.rows());
        kernels.matmul(a.value(), false, b.value(), true, c, 1f, false);
        return tape.record(c, (out, dc) -> {
            a.addGradient((da, accumulate) -> kernels.matmul(dc, false, b.value(), false, da, 1f, accumulate));
            b.addGradient((db, accumulate) -> kernels.matmul(dc, true, a.value(), false, db, 1f, accumulate));
        }, List.of(a, b));
    }

    /**
     * {@code c = op(a) op(b)} in f32; op transposes where asked: op(a) [M, K], op(b) [K, L], c [M, L]. Gradients,
     * without transposes: {@code da = dc b^T}, {@code db = a^T dc}.
     */
    public static Variable product(Tape tape, Variable a, boolean transposeA, Variable b, boolean transposeB) {
        Kernels kernels = tape.kernels();
        long rows = a.value().size(transposeA ? 1 : 0);
        INDArray c = tape.allocateFloat(rows, b.value().size(transposeB ? 0 : 1));
        kernels.matmul(a.value(), transposeA, b.value(), transposeB, c, 1f, false);
        return tape.record(c, (out, dc) -> {
            a.addGradient((da, accumulate) -> {
                if (transposeA) {
                    kernels.matmul(b.value(), transposeB, dc, true, da, 1f, accumulate);
                } else {
                    kernels.matmul(dc, false, b.value(), !transposeB, da, 1f, accumulate);
                }
            });
            b.addGradient((db, accumulate) -> {
                if (transposeB) {
                    kernels.matmul(dc, true, a.value(), transposeA, db, 1f, accumulate);
                } else {
                    kernels.matmul(a.value(), !transposeA, dc, false, db, 1f, accumulate);
                }
            });
        }, List.of(a, b));
    }

    /** {@code y = y + bias} in place over y, one bias [O] for all rows [N, O]. Gradient: the sum over rows. */
    public static Variable addBias(Tape tape, Variable y, Variable bias) {
        return addBiasToRows(tape, y, 0, y.rows(), bias);
    }

    /** As {@link #addBias} for rows {@code from} (inclusive) to {@code to} (exclusive). */
    public static Variable addBiasToRows(Tape tape, Variable y, int from, int to, Variable bias) {
        Kernels kernels = tape.kernels();
        kernels.addBias(Arrays.rowRange(y.value(), from, to), bias.value());
        return tape.recordInPlace(y, (out, dy) -> {
            y.addGradientOf(out);
            bias.addGradient((db, accumulate) -> kernels.addBiasBackward(Arrays.rowRange(dy, from, to), db,
                    accumulate));
        }, List.of(y, bias));
    }

    /**
     * {@code y = y + scale * (x A^T) B^T} in place over y, the low-rank update of LoRA
     * (<a href="https://arxiv.org/abs/2106.09685">2106.09685</a>): x [N, I], a [r, I], b [O, r], y [N, O]. The products
     * with r run in f32. With {@code h = x A^T} and {@code dh = scale * dy B}: {@code dx += dh A}, {@code da = dh^T x},
     * {@code db = scale * dy^T h}.
     */
    public static Variable addLowRank(Tape tape, Variable y, Variable x, Variable a, Variable b, float scale) {
        INDArray h = tape.allocateFloat(x.rows(), a.rows());
        tape.kernels().lowRank(x.value(), a.value(), b.value(), scale, h, y.value());
        return tape.recordInPlace(y, (out, dy) -> {
            y.addGradientOf(out);
            INDArray dh = tape.allocateFloat(h.shape());
            if (allWanted(x, a, b)) {
                addGradients(x, a, b, (dx, accumulate, da, db) -> tape.kernels().lowRankBackward(dy, x.value(),
                        a.value(), b.value(), scale, h, dh, dx, accumulate, da, db));
            } else {
                addWantedGradients(tape.kernels(), x, a, b, scale, h, dh, dy);
            }
            tape.free(dh);
        }, List.of(y, x, a, b), h);
    }

    /**
     * {@link #linear} and {@link #addLowRank} of its result in one: {@code y = x W^T + scale * (x A^T) B^T}, with a
     * frozen weight: x [N, I], w [O, I], a [r, I], b [O, r], y [N, O].
     */
    @Internal
    public static Variable linearWithLowRank(Tape tape, Variable x, FrozenWeight w, Variable a, Variable b,
            float scale) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.allocate(x.rows(), w.rows());
        INDArray h = tape.allocateFloat(x.rows(), a.rows());
        Consumer<INDArray> forward = result -> kernels.linearWithLowRank(x.value(), w, a.value(), b.value(), scale, h,
                result);
        forward.accept(y);
        return tape.recordProduct(y, forward, (out, dy) -> {
            INDArray dh = tape.allocateFloat(h.shape());
            if (allWanted(x, a, b)) {
                addGradients(x, a, b, (dx, accumulate, da, db) -> kernels.linearWithLowRankBackward(dy, w, x.value(),
                        a.value(), b.value(), scale, h, dh, dx, accumulate, da, db));
            } else {
                x.addGradient((dx, accumulate) -> kernels.linearBackward(dy, w, dx, accumulate));
                addWantedGradients(kernels, x, a, b, scale, h, dh, dy);
            }
            tape.free(dh);
        }, List.of(x, a, b), h);
    }

    /**
     * y as it is, where {@code y = x W^T} with a weight that is not trained, and its gradient on the side: adds
     * {@code dW = dy^T x} to an array of the caller: x [N, I], y [N, O], weightGradient [O, I].
     */
    public static Variable observeWeight(Tape tape, Variable y, Variable x, INDArray weightGradient) {
        Variable observed = tape.input(weightGradient, weightGradient);
        return tape.recordInPlace(y, (out, dy) -> {
            y.addGradientOf(out);
            observed.addGradient(
                    (dw, accumulate) -> tape.kernels().matmul(dy, true, x.value(), false, dw, 1f, accumulate));
        }, List.of(y, x, observed));
    }

    private static void clearUnless(boolean accumulate, INDArray gradient) {
        if (!accumulate) {
            Arrays.clear(gradient);
        }
    }

    private static boolean allWanted(Variable x, Variable a, Variable b) {
        return x.requiresGradient() && a.requiresGradient() && b.requiresGradient();
    }

    /** Computes the gradients of an input and of both matrices of its update: adds to da and db. */
    @FunctionalInterface
    private interface LowRankGradients {
        void write(INDArray dx, boolean accumulate, INDArray da, INDArray db);
    }

    private static void addGradients(Variable x, Variable a, Variable b, LowRankGradients gradients) {
        a.addGradient((da, addToA) -> b.addGradient((db, addToB) -> x.addGradient((dx, accumulate) -> {
            clearUnless(addToA, da);
            clearUnless(addToB, db);
            gradients.write(dx, accumulate, da, db);
        })));
    }

    private static void addWantedGradients(Kernels kernels, Variable x, Variable a, Variable b, float scale, INDArray h,
            INDArray dh, INDArray dy) {
        b.addGradient((db, accumulate) -> kernels.matmul(dy, true, h, false, db, scale, accumulate));
        if (a.requiresGradient() || x.requiresGradient()) {
            kernels.matmul(dy, false, b.value(), false, dh, scale, false);
        }
        a.addGradient((da, accumulate) -> kernels.matmul(dh, true, x.value(), false, da, 1f, accumulate));
        x.addGradient((dx, accumulate) -> kernels.matmul(dh, false, a.value(), false, dx, 1f, accumulate));
    }
}
