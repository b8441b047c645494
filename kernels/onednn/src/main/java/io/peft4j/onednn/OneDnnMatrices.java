package io.peft4j.onednn;

import io.peft4j.core.kernel.MatrixKernels;
import io.peft4j.core.kernel.MatrixKernels.LowRankPart;
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

    /**
     * A frozen weight's product and LoRA's update of it in one. The left operand of products is widened once for
     * both, and the update is added to the part of a result that a thread has just computed, while it lies in its
     * cache.
     */
    private static final class AdaptedLinear {
        private final ThreadTeam team;
        private final MixedProducts matrices;
        private final FusedLowRankUpdate lowRank;

        AdaptedLinear(ThreadTeam team, MixedProducts matrices, FusedLowRankUpdate lowRank) {
            this.team = team;
            this.matrices = matrices;
            this.lowRank = lowRank;
        }

        void forward(INDArray x, FrozenWeight w, INDArray a, INDArray b, float scale, INDArray h, INDArray y) {
            LowRankOperands all = lowRank.operands(x, y, a, b);
            try (Scratch.Frame frame = team.caller().scratch().frame()) {
                Matrix xs = Matrix.of(x, false);
                Matrix left = left(all, xs);
                Matrix hs = Matrix.of(h, false);
                Matrix hLeft = left(all, hs);
                lowRank.share(xs.rows(), (lane, task, first, rows) -> {
                    Matrix down = all.a(lane, all.type()).transpose();
                    each(all, first, rows, (row, count) -> {
                        copy(lane, xs, left, row, count);
                        Products.onLane(lane, left.rows(row, count), down,
                                all.rowsOf(hs.data(), row, count, all.rank()), 1f, false);
                        copy(lane, hs, hLeft, row, count);
                    });
                });
                Matrix result = Matrix.of(y, false);
                matrices.linear(left, w, result, all.type(), false,
                        (lane, row, rows, column, columns) -> Products.onLane(lane, hLeft.rows(row, rows),
                                all.up(lane, column, columns),
                                result.rows(row, rows).columns(column, columns), scale, true));
            }
        }

        void backward(INDArray dy, FrozenWeight w, INDArray x, INDArray a, INDArray b, float scale, INDArray h,
                INDArray dh, INDArray dx, boolean accumulate, INDArray da, INDArray db) {
            LowRankOperands all = lowRank.operands(x, dy, a, b);
            try (Scratch.Frame frame = team.caller().scratch().frame()) {
                Matrix dys = Matrix.of(dy, false);
                Matrix left = left(all, dys);
                Matrix xs = Matrix.of(x, false);
                Matrix hs = Matrix.of(h, false);
                Matrix dhs = Matrix.of(dh, false);
                Matrix dhLeft = left(all, dhs);
                lowRank.summed(all, dys.rows(), Span.of(da), Span.of(db), (lane, sums, first, rows) -> {
                    Matrix up = all.b(lane, all.type());
                    each(all, first, rows, (row, count) -> {
                        copy(lane, dys, left, row, count);
                        all.smallGradients(lane, left.rows(row, count), xs.rows(row, count), hs.rows(row, count),
                                all.rowsOf(dhs.data(), row, count, all.rank()), up, sums.after(row - first), scale);
                        copy(lane, dhs, dhLeft, row, count);
                    });
                });
                Matrix result = Matrix.of(dx, false);
                matrices.linearBackward(left, w, result, all.type(), accumulate,
                        (lane, row, rows, column, columns) -> Products.onLane(lane, dhLeft.rows(row, rows),
                                all.a(lane, all.stored()).columns(column, columns),
                                result.rows(row, rows).columns(column, columns), 1f, true));
            }
        }

        /** Where the rows of m go as a left operand: where they are, or to scratch memory. */
        private Matrix left(LowRankOperands all, Matrix m) {
            return m.type() == all.type() ? m : matrices.scratchFor(m, all.type());
        }

        /** Some rows of a task at a time. */
        @FunctionalInterface
        private interface Block {
            void run(int row, int count);
        }

        private static void each(LowRankOperands all, int first, int rows, Block block) {
            int size = all.block(rows);
            for (int done = 0; done < rows; done += size) {
                block.run(first + done, Math.min(size, rows - done));
            }
        }

        private static void copy(ThreadContext lane, Matrix from, Matrix to, int row, int count) {
            if (to != from) {
                Vectors.convert(lane, from.rows(row, count).data(), to.rows(row, count).data(), count * from.columns());
            }
        }
    }
}
