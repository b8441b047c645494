package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an optimizer does to parameters: a group of {@link Kernels}. */
@Internal(shared = true)
public interface UpdateKernels {
    /**
     * The numbers of one AdamW update (Decoupled Weight Decay Regularization,
     * <a href="https://arxiv.org/abs/1711.05101">1711.05101</a>), in PyTorch's form.
     *
     * @param step 1 for the first update
     * @param learningRate step size
     * @param beta1 decay of the first moment
     * @param beta2 decay of the second moment
     * @param epsilon added to the root of the second moment
     * @param weightDecay decoupled weight decay, multiplied by the learning rate
     * @param gradientScale factor on the gradient before anything else (clipping)
     */
    record AdamWStep(long step, double learningRate, double beta1, double beta2, double epsilon, double weightDecay,
            double gradientScale) {
    }

    /** Sum of squares of the elements, accumulated in double, for clipping. */
    double sumOfSquares(INDArray x);

    /** One AdamW update of a FLOAT parameter in place, with its FLOAT gradient and moments. */
    void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment, AdamWStep step);
}
