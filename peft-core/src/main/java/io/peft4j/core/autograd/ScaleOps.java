package io.peft4j.core.autograd;

import io.peft4j.core.kernel.Kernels;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Scaling of the rows or columns of a matrix on a tape. */
public final class ScaleOps {
    private ScaleOps() {
    }

    /**
     * {@code y[i][j] = x[i][j] * v[j]}: x [N, O], v of O elements. Gradients: {@code dx[i][j] = dy[i][j] * v[j]},
     * {@code dv[j] = sum over i of dy[i][j] * x[i][j]}.
     */
    public static Variable columns(Tape tape, Variable x, Variable v) {
        Kernels kernels = tape.kernels();
        return computed(tape, x, v, result -> kernels.scaleColumns(x.value(), v.value(), result, false), (out, dy) -> {
            v.addGradient((dv, accumulate) -> kernels.columnDots(dy, x.value(), dv, accumulate));
            x.addGradient((dx, accumulate) -> kernels.scaleColumns(dy, v.value(), dx, accumulate));
        });
    }

    /**
     * {@code y[i][j] = x[i][j] * v[i]}: x [N, O], v of N elements. Gradients: {@code dx[i][j] = dy[i][j] * v[i]},
     * {@code dv[i] = sum over j of dy[i][j] * x[i][j]}.
     */
    public static Variable rows(Tape tape, Variable x, Variable v) {
        Kernels kernels = tape.kernels();
        return computed(tape, x, v, result -> kernels.scaleRows(x.value(), v.value(), result, false), (out, dy) -> {
            v.addGradient((dv, accumulate) -> kernels.rowDots(dy, x.value(), dv, accumulate));
            x.addGradient((dx, accumulate) -> kernels.scaleRows(dy, v.value(), dx, accumulate));
        });
    }

    private static Variable computed(Tape tape, Variable x, Variable v, Consumer<INDArray> forward,
            Tape.Backward backward) {
        INDArray result = tape.allocateLike(x.value());
        forward.accept(result);
        return tape.recordRecomputable(result, forward, backward, List.of(x, v));
    }
}
