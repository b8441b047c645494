package io.peft4j.core.autograd;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Normalization on a tape. */
@Internal(shared = true)
public final class NormOps {
    private NormOps() {
    }

    /**
     * RMS norm: x [N, H], weight [H]; see {@link Kernels#rmsNorm}. Where the weight has D elements, a part of H, the D
     * elements of each head are normalized by themselves: x [N, heads x D].
     */
    public static Variable rmsNorm(Tape tape, Variable x, Variable weight, float epsilon) {
        Kernels kernels = tape.kernels();
        long size = weight.value().length();
        INDArray y = tape.allocateLike(x.value());
        INDArray rstd = tape.allocateFloat(x.value().length() / size);
        Consumer<INDArray> forward = result -> kernels.rmsNorm(heads(x.value(), size), weight.value(), epsilon,
                heads(result, size), rstd);
        forward.accept(y);
        return tape.recordRecomputable(y, forward, (out, dy) -> {
            weight.addGradient((dw, accumulate) -> {
                if (!accumulate) {
                    Arrays.clear(dw);
                }
                kernels.rmsNormWeightBackward(heads(dy, size), heads(x.value(), size), rstd, dw);
            });
            x.addGradient((dx, accumulate) -> kernels.rmsNormBackward(heads(dy, size), heads(x.value(), size),
                    weight.value(), rstd, heads(dx, size), accumulate));
        }, List.of(x, weight), rstd);
    }

    /** Layer norm: x [N, H], weight and bias [H]; see {@link Kernels#layerNorm}. */
    public static Variable layerNorm(Tape tape, Variable x, Variable weight, Optional<Variable> bias, float epsilon) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.allocateLike(x.value());
        INDArray mean = tape.allocateFloat(x.rows());
        INDArray rstd = tape.allocateFloat(x.rows());
        Consumer<INDArray> forward = result -> kernels.layerNorm(x.value(), weight.value(), bias.map(Variable::value),
                epsilon, result, mean, rstd);
        forward.accept(y);
        List<Variable> inputs = new ArrayList<>(List.of(x, weight));
        bias.ifPresent(inputs::add);
        return tape.recordRecomputable(y, forward, (out, dy) -> {
            layerNormWeights(kernels, dy, x, weight, bias, mean, rstd);
            x.addGradient((dx, accumulate) -> kernels.layerNormBackward(dy, x.value(), weight.value(), mean, rstd, dx,
                    accumulate));
        }, inputs, mean, rstd);
    }

    /** The gradients of weight and bias: in one pass over the rows where both are trained. */
    private static void layerNormWeights(Kernels kernels, INDArray dy, Variable x, Variable weight,
            Optional<Variable> bias, INDArray mean, INDArray rstd) {
        Optional<Variable> trainedBias = bias.filter(Variable::requiresGradient);
        if (!weight.requiresGradient()) {
            trainedBias.ifPresent(b -> b.addGradient((db, accumulate) -> kernels.addBiasBackward(dy, db, accumulate)));
            return;
        }
        weight.addGradient((dw, accumulate) -> {
            if (!accumulate) {
                Arrays.clear(dw);
            }
            if (trainedBias.isEmpty()) {
                kernels.layerNormWeightBackward(dy, x.value(), mean, rstd, dw, Optional.empty());
            } else {
                trainedBias.get().addGradient((db, adds) -> {
                    if (!adds) {
                        Arrays.clear(db);
                    }
                    kernels.layerNormWeightBackward(dy, x.value(), mean, rstd, dw, Optional.of(db));
                });
            }
        });
    }

    /** The parts of {@code size} elements that rows are made of, as rows of their own. */
    private static INDArray heads(INDArray x, long size) {
        return x.size(1) == size ? x : Arrays.reshaped(x, x.length() / size, size);
    }
}
