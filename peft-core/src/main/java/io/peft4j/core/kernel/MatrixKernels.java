package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Matrix products, those with frozen weights and those of adapters: a group of {@link Kernels}. */
@Internal(shared = true)
public interface MatrixKernels {
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
    record LowRankPart(int from, int to, INDArray a, INDArray b, float scale, INDArray h) {
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

    /** {@code y = x W^T}: x [N, I], w [O, I], y [N, O]. */
    void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate);

    /** Gradient of {@link #linear} for x: {@code dx = dy W}: dy [N, O], dx [N, I]. */
    void linearBackward(INDArray dy, FrozenWeight w, INDArray dx, boolean accumulate);

    /**
     * {@code c = alpha * op(a) op(b)} (added to c where {@code accumulate}); op transposes where asked. op(a) [M, K],
     * op(b) [K, L], c [M, L].
     */
    void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c, float alpha,
            boolean accumulate);

    /**
     * The low-rank update of LoRA (<a href="https://arxiv.org/abs/2106.09685">2106.09685</a>): {@code h = x a^T},
     * {@code y += scale * h b^T}: x [N, I], a [r, I], b [O, r], y [N, O]; h [N, r] FLOAT is kept for the gradient.
     */
    default void lowRank(INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray y) {
        matmul(x, false, a, true, h, 1f, false);
        matmul(h, false, b, true, y, scale, true);
    }

    /**
     * Gradient of {@link #lowRank} for x, a and b. With {@code dh = scale * dy b}: {@code dx = dh a},
     * {@code da += dh^T x}, {@code db += scale * dy^T h}: da and db FLOAT; dh [N, r] FLOAT is overwritten.
     *
     * @param accumulate whether dx is added to
     */
    default void lowRankBackward(INDArray dy, INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray dh,
            INDArray dx, boolean accumulate, INDArray da, INDArray db) {
        matmul(dy, true, h, false, db, scale, true);
        matmul(dy, false, b, false, dh, scale, false);
        matmul(dh, true, x, false, da, 1f, true);
        matmul(dh, false, a, false, dx, 1f, accumulate);
    }

    /**
     * {@link #linear} and {@link #lowRank} of its result: {@code h = x a^T}, {@code y = x W^T + scale * h b^T}. Kernels
     * that compute both at once read and write y once less.
     */
    default void linearWithLowRank(INDArray x, FrozenWeight w, INDArray a, INDArray b, float scale, INDArray h,
            INDArray y) {
        linear(x, w, y, false);
        lowRank(x, a, b, scale, h, y);
    }

    /**
     * Gradient of {@link #linearWithLowRank} for x, a and b: {@link #linearBackward}, and {@link #lowRankBackward}
     * added to it.
     *
     * @param accumulate whether dx is added to
     */
    default void linearWithLowRankBackward(INDArray dy, FrozenWeight w, INDArray x, INDArray a, INDArray b,
            float scale, INDArray h, INDArray dh, INDArray dx, boolean accumulate, INDArray da, INDArray db) {
        linearBackward(dy, w, dx, accumulate);
        lowRankBackward(dy, x, a, b, scale, h, dh, dx, true, da, db);
    }

    /**
     * {@link #lowRank} with different matrices for different rows of x and y; rows that no part names stay as they are.
     *
     * @param parts with ascending rows that do not overlap
     */
    default void lowRankByRows(INDArray x, List<LowRankPart> parts, INDArray y) {
        for (LowRankPart part : parts) {
            lowRank(part.of(x), part.a(), part.b(), part.scale(), part.h(), part.of(y));
        }
    }

    /**
     * Gradient of {@link #lowRankByRows}: {@link #lowRankBackward} of each part, where dx is added to.
     *
     * @param gradients one for each part
     */
    default void lowRankByRowsBackward(INDArray dy, INDArray x, List<LowRankPart> parts,
            List<LowRankPart.Gradient> gradients, INDArray dx) {
        for (int i = 0; i < parts.size(); i++) {
            LowRankPart part = parts.get(i);
            LowRankPart.Gradient gradient = gradients.get(i);
            lowRankBackward(part.of(dy), part.of(x), part.a(), part.b(), part.scale(), part.h(), gradient.dh(),
                    part.of(dx), true, gradient.da(), gradient.db());
        }
    }
}
