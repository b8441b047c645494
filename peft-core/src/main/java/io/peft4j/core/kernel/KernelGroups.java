package io.peft4j.core.kernel;

import io.peft4j.core.Internal;

/**
 * What an implementation of {@link Kernels} is made of. A group gets arguments that {@link CheckedKernels} has checked.
 *
 * @param matrices matrix products
 * @param rows biases and chosen rows
 * @param elements operations on elements
 * @param activations activations and gates
 * @param scaling scaling of rows and columns
 * @param norms RMS norm
 * @param layerNorms layer norm
 * @param rotary rotary position embedding
 * @param attention attention
 * @param sequences operations that read sequences in their order
 * @param losses the loss over logits
 * @param updates what an optimizer does
 */
@Internal(shared = true)
public record KernelGroups(MatrixKernels matrices, RowKernels rows, ElementwiseKernels elements,
        ActivationKernels activations, ScalingKernels scaling, NormKernels norms, LayerNormKernels layerNorms,
        RotaryKernels rotary, AttentionKernels attention, SequenceKernels sequences, LossKernels losses,
        UpdateKernels updates) {
    /** The same with other matrix products. */
    public KernelGroups with(MatrixKernels other) {
        return new KernelGroups(other, rows, elements, activations, scaling, norms, layerNorms, rotary, attention,
                sequences, losses, updates);
    }
}
