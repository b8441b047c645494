package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Layer norm: a group of {@link Kernels}. */
@Internal(shared = true)
public interface LayerNormKernels {
    /**
     * Layer norm (<a href="https://arxiv.org/abs/1607.06450">1607.06450</a>):
     * {@code y = (x - mean) * rstd * weight + bias}, {@code rstd = 1 / sqrt(mean((x - mean)^2) + epsilon)}: x, y
     * [N, H], weight and bias [H] FLOAT, mean and rstd [N] FLOAT, kept for the gradient.
     */
    void layerNorm(INDArray x, INDArray weight, Optional<INDArray> bias, float epsilon, INDArray y, INDArray mean,
            INDArray rstd);

    /** Gradient of {@link #layerNorm} for x. */
    void layerNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray mean, INDArray rstd, INDArray dx,
            boolean accumulate);

    /**
     * Gradient of {@link #layerNorm} for the weight and the bias, added to dw [H] FLOAT and db [H] FLOAT:
     * {@code dw += sum over rows of dy * (x - mean) * rstd}, {@code db += sum over rows of dy}.
     */
    void layerNormWeightBackward(INDArray dy, INDArray x, INDArray mean, INDArray rstd, INDArray dw,
            Optional<INDArray> db);
}
