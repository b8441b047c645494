package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations on elements that do not see each other, of arrays of equal length: a group of {@link Kernels}. */
@Internal(shared = true)
public interface ElementwiseKernels {
    /** {@code y = a + b}; y may be a or b. */
    void add(INDArray a, INDArray b, INDArray y);

    /** {@code y = a * b}; y may be a or b. */
    void multiply(INDArray a, INDArray b, INDArray y, boolean accumulate);

    /** {@code y = alpha * x}; with another type of y it is a conversion; y may be x. */
    void scale(INDArray x, float alpha, INDArray y, boolean accumulate);

    /**
     * Inverted dropout: {@code y = x * keep / (1 - p)}. Which elements are kept depends on {@code seed} and the
     * element's index alone (see {@link DropoutMask}), so the gradient is the same operation on dy. y may be x unless
     * accumulating.
     */
    void dropout(INDArray x, float p, long seed, INDArray y, boolean accumulate);
}
