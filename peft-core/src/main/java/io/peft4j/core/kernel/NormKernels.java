package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import org.nd4j.linalg.api.ndarray.INDArray;

/** RMS norm: a group of {@link Kernels}. */
@Internal(shared = true)
public interface NormKernels {
    /**
     * RMS norm (<a href="https://arxiv.org/abs/1910.07467">1910.07467</a>):
     * {@code y = x * rstd * weight}, {@code rstd = 1 / sqrt(mean(x^2) + epsilon)}: x, y [N, H], weight [H] FLOAT,
     * rstd [N] FLOAT, kept for the gradient.
     */
    void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray rstd);

    /** Gradient of {@link #rmsNorm} for x. */
    void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray rstd, INDArray dx, boolean accumulate);

    /** Gradient of {@link #rmsNorm} for the weight: {@code dw += sum over rows of dy * x * rstd}: dw [H] FLOAT. */
    void rmsNormWeightBackward(INDArray dy, INDArray x, INDArray rstd, INDArray dw);
}
