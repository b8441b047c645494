package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rows of a batch that get a low-rank update of their own, see {@link Kernels#lowRankByRows}.
 *
 * @param from the first row
 * @param to the row behind the last
 * @param a [r, I]
 * @param b [O, r]
 * @param scale factor of the update
 * @param h [to - from, r] FLOAT: what is kept for the gradient
 */
public record LowRankPart(int from, int to, INDArray a, INDArray b, float scale, INDArray h) {
    /**
     * Where the gradients of a part go.
     *
     * @param dh [to - from, r] FLOAT, overwritten
     * @param da [r, I] FLOAT, added to; parts with the same a have the same da
     * @param db [O, r] FLOAT, added to
     */
    public record Gradient(INDArray dh, INDArray da, INDArray db) {
    }

    /** The part's rows of a matrix of the batch. */
    public INDArray of(INDArray matrix) {
        return Arrays.rowRange(matrix, from, to);
    }
}
