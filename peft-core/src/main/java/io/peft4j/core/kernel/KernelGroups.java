package io.peft4j.core.kernel;

/**
 * What an implementation of {@link Kernels} is made of. A group gets arguments that {@link CheckedKernels} has checked.
 *
 * @param matrices matrix products
 * @param rows biases and chosen rows
 * @param elements operations on elements
 * @param scaling scaling of rows and columns
 * @param norms normalization
 * @param rotary rotary position embedding
 * @param attention attention
 * @param losses the loss over logits
 * @param updates what an optimizer does
 */
public record KernelGroups(MatrixKernels matrices, RowKernels rows, ElementwiseKernels elements,
        ScalingKernels scaling, NormKernels norms, RotaryKernels rotary, AttentionKernels attention, LossKernels losses,
        UpdateKernels updates) {
    /** The same with other matrix products. */
    public KernelGroups with(MatrixKernels other) {
        return new KernelGroups(other, rows, elements, scaling, norms, rotary, attention, losses, updates);
    }
}
