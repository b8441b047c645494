package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Rotary position embedding: a group of {@link Kernels}. */
@Internal(shared = true)
public interface RotaryKernels {
    /**
     * Rotary position embedding in place, Hugging Face's half-split form: of each head of row i the pair (j, j + half)
     * is rotated by the angle of {@code positions[i]}: x [N, heads x D], half = {@link RotaryTable#half()}. Usually
     * half is D/2; where it is less, the elements of a head from 2 half on stay as they are (partial rotary embedding).
     * Pairs are (2j, 2j + 1) where the {@linkplain RotaryTable#neighbours() table} says so.
     * {@code inverse} rotates back: that is the gradient.
     */
    void rotary(INDArray x, int headSize, RotaryTable table, int[] positions, boolean inverse);
}
