package io.peft4j.core.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** What an optimizer does to parameters: a group of {@link Kernels}. */
public interface UpdateKernels {
    /** Sum of squares of the elements, accumulated in double, for clipping. */
    double sumOfSquares(INDArray x);

    /** One AdamW update of a FLOAT parameter in place, with its FLOAT gradient and moments. */
    void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment, AdamWStep step);
}
