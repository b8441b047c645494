package io.peft4j.onednn.internal;

import io.peft4j.core.kernel.LowRankPart;
import io.peft4j.core.kernel.MatrixKernels;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Matrix products: those of adapters in one where the types allow it. */
class OneDnnMatrices implements MatrixKernels {
    private final MixedProducts products;
    private final FusedLowRankUpdate lowRank;
    private final AdaptedLinear adapted;

    OneDnnMatrices(ThreadTeam team, BFloat16Products bfloat16) {
        products = new MixedProducts(team, bfloat16);
        lowRank = new FusedLowRankUpdate(team, bfloat16);
        adapted = new AdaptedLinear(team, products, lowRank);
    }

    @Override
    public void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate) {
        products.linear(x, w, y, accumulate);
    }

    @Override
    public void linearBackward(INDArray dy, FrozenWeight w, INDArray dx, boolean accumulate) {
        products.linearBackward(dy, w, dx, accumulate);
    }

    @Override
    public void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c, float alpha,
            boolean accumulate) {
        products.matmul(a, transposeA, b, transposeB, c, alpha, accumulate);
    }

    @Override
    public void lowRank(INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray y) {
        if (lowRank.supports(x, y)) {
            lowRank.forward(x, a, b, scale, h, y);
        } else {
            MatrixKernels.super.lowRank(x, a, b, scale, h, y);
        }
    }

    @Override
    public void lowRankBackward(INDArray dy, INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray dh,
            INDArray dx, boolean accumulate, INDArray da, INDArray db) {
        if (lowRank.supports(x, dy) && lowRank.supports(dx, dy)) {
            lowRank.backward(dy, x, a, b, scale, h, dh, dx, accumulate, da, db);
        } else {
            MatrixKernels.super.lowRankBackward(dy, x, a, b, scale, h, dh, dx, accumulate, da, db);
        }
    }

    @Override
    public void linearWithLowRank(INDArray x, FrozenWeight w, INDArray a, INDArray b, float scale, INDArray h,
            INDArray y) {
        if (lowRank.supports(x, y)) {
            adapted.forward(x, w, a, b, scale, h, y);
        } else {
            MatrixKernels.super.linearWithLowRank(x, w, a, b, scale, h, y);
        }
    }

    @Override
    public void linearWithLowRankBackward(INDArray dy, FrozenWeight w, INDArray x, INDArray a, INDArray b, float scale,
            INDArray h, INDArray dh, INDArray dx, boolean accumulate, INDArray da, INDArray db) {
        if (lowRank.supports(x, dy) && lowRank.supports(dx, dy)) {
            adapted.backward(dy, w, x, a, b, scale, h, dh, dx, accumulate, da, db);
        } else {
            MatrixKernels.super.linearWithLowRankBackward(dy, w, x, a, b, scale, h, dh, dx, accumulate, da, db);
        }
    }

    @Override
    public void lowRankByRows(INDArray x, List<LowRankPart> parts, INDArray y) {
        if (lowRank.supports(x, y)) {
            lowRank.forward(x, parts, y);
        } else {
            MatrixKernels.super.lowRankByRows(x, parts, y);
        }
    }

    @Override
    public void lowRankByRowsBackward(INDArray dy, INDArray x, List<LowRankPart> parts,
            List<LowRankPart.Gradient> gradients, INDArray dx) {
        if (lowRank.supports(x, dy) && lowRank.supports(dx, dy) && lowRank.occupiesAll(gradients)) {
            lowRank.backward(dy, x, parts, gradients, dx);
        } else {
            MatrixKernels.super.lowRankByRowsBackward(dy, x, parts, gradients, dx);
        }
    }

    /** Matrix products in passes of generation: few rows meet copies of frozen weights. */
    static final class ForGeneration extends OneDnnMatrices {
        private final PackedProducts packed;
        private final boolean batches;

        /** @param batches whether the steps are of several sequences, as long as all run */
        ForGeneration(ThreadTeam team, BFloat16Products bfloat16, PackedProducts packed, boolean batches) {
            super(team, bfloat16);
            this.packed = packed;
            this.batches = batches;
        }

        @Override
        public void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate) {
            if (!packed.linear(x, w, y, accumulate, batches)) {
                super.linear(x, w, y, accumulate);
            }
        }

        @Override
        public void linearWithLowRank(INDArray x, FrozenWeight w, INDArray a, INDArray b, float scale, INDArray h,
                INDArray y) {
            if (packed.suits(x, w, batches)) {
                linear(x, w, y, false);
                lowRank(x, a, b, scale, h, y);
            } else {
                super.linearWithLowRank(x, w, a, b, scale, h, y);
            }
        }
    }
}
