package io.peft4j.core.autograd;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Normalization on a tape. */
public final class NormOps {
    private NormOps() {
    }

    /** RMS norm: x [N, H], weight [H]; see {@link Kernels#rmsNorm}. */
    public static Variable rmsNorm(Tape tape, Variable x, Variable weight, float epsilon) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.allocateLike(x.value());
        INDArray rstd = tape.allocateFloat(x.rows());
        Consumer<INDArray> forward = result -> kernels.rmsNorm(x.value(), weight.value(), epsilon, result, rstd);
        forward.accept(y);
        return tape.recordRecomputable(y, forward, (out, dy) -> {
            weight.addGradient((dw, accumulate) -> {
                if (!accumulate) {
                    Arrays.clear(dw);
                }
                kernels.rmsNormWeightBackward(dy, x.value(), rstd, dw);
            });
            x.addGradient((dx, accumulate) ->
                    kernels.rmsNormBackward(dy, x.value(), weight.value(), rstd, dx, accumulate));
        }, List.of(x, weight), rstd);
    }
}
