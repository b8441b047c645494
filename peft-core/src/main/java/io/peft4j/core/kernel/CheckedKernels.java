package io.peft4j.core.kernel;

import static io.peft4j.core.kernel.ArgumentCheck.sizes;

import io.peft4j.core.Internal;
import io.peft4j.core.kernel.MatrixKernels.LowRankPart;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import io.peft4j.core.kernel.UpdateKernels.AdamWStep;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Kernels made of groups, whose arguments are checked before a group sees them: what every implementation extends, so
 * that none can be reached otherwise and groups need no checks of their own. A mismatch is an
 * {@link IllegalArgumentException} that names the operation and the shapes.
 */
@Internal(shared = true)
public abstract class CheckedKernels implements Kernels {
    private final String name;
    private final KernelGroups groups;

    /** Kernels of the given name. */
    protected CheckedKernels(String name, KernelGroups groups) {
        this.name = name;
        this.groups = groups;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate) {
        KernelChecks.LINEAR.of(sizes(w.columns(), w.rows()), x, y);
        groups.matrices().linear(x, w, y, accumulate);
    }

    @Override
    public final void linearBackward(INDArray dy, FrozenWeight w, INDArray dx, boolean accumulate) {
        KernelChecks.LINEAR_BACKWARD.of(sizes(w.columns(), w.rows()), dy, dx);
        groups.matrices().linearBackward(dy, w, dx, accumulate);
    }

    @Override
    public final void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c, float alpha,
            boolean accumulate) {
        KernelChecks.matmul(a, transposeA, b, transposeB, c);
        groups.matrices().matmul(a, transposeA, b, transposeB, c, alpha, accumulate);
    }

    @Override
    public final void lowRank(INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray y) {
        KernelChecks.LOW_RANK.of(x, a, b, h, y);
        groups.matrices().lowRank(x, a, b, scale, h, y);
    }

    @Override
    public final void lowRankBackward(INDArray dy, INDArray x, INDArray a, INDArray b, float scale, INDArray h,
            INDArray dh, INDArray dx, boolean accumulate, INDArray da, INDArray db) {
        KernelChecks.LOW_RANK_BACKWARD.of(x, a, b, h, dy, dh, dx, da, db);
        groups.matrices().lowRankBackward(dy, x, a, b, scale, h, dh, dx, accumulate, da, db);
    }

    @Override
    public final void linearWithLowRank(INDArray x, FrozenWeight w, INDArray a, INDArray b, float scale, INDArray h,
            INDArray y) {
        KernelChecks.LINEAR.of(sizes(w.columns(), w.rows()), x, y);
        KernelChecks.LOW_RANK.of(x, a, b, h, y);
        groups.matrices().linearWithLowRank(x, w, a, b, scale, h, y);
    }

    @Override
    public final void linearWithLowRankBackward(INDArray dy, FrozenWeight w, INDArray x, INDArray a, INDArray b,
            float scale, INDArray h, INDArray dh, INDArray dx, boolean accumulate, INDArray da, INDArray db) {
        KernelChecks.LINEAR_BACKWARD.of(sizes(w.columns(), w.rows()), dy, dx);
        KernelChecks.LOW_RANK_BACKWARD.of(x, a, b, h, dy, dh, dx, da, db);
        groups.matrices().linearWithLowRankBackward(dy, w, x, a, b, scale, h, dh, dx, accumulate, da, db);
    }

    @Override
    public final void lowRankByRows(INDArray x, List<LowRankPart> parts, INDArray y) {
        KernelChecks.lowRankByRows(x, parts, y);
        groups.matrices().lowRankByRows(x, parts, y);
    }

    @Override
    public final void lowRankByRowsBackward(INDArray dy, INDArray x, List<LowRankPart> parts,
            List<LowRankPart.Gradient> gradients, INDArray dx) {
        KernelChecks.lowRankByRowsBackward(dy, x, parts, gradients, dx);
        groups.matrices().lowRankByRowsBackward(dy, x, parts, gradients, dx);
    }

    @Override
    public final void addBias(INDArray y, INDArray bias) {
        KernelChecks.ADD_BIAS.of(y, bias);
        groups.rows().addBias(y, bias);
    }

    @Override
    public final void addBiasBackward(INDArray dy, INDArray db, boolean accumulate) {
        KernelChecks.ADD_BIAS_BACKWARD.of(dy, db);
        groups.rows().addBiasBackward(dy, db, accumulate);
    }

    @Override
    public final void gather(FrozenWeight table, int[] ids, INDArray y) {
        KernelChecks.GATHER.of(sizes(ids.length, table.columns()), y);
        KernelChecks.indices("gather", "ids", ids, table.rows());
        groups.rows().gather(table, ids, y);
    }

    @Override
    public final void gatherRows(INDArray x, int[] rows, INDArray y) {
        KernelChecks.GATHER_ROWS.of(sizes(rows.length), x, y);
        KernelChecks.indices("gatherRows", "rows", rows, x.size(0));
        groups.rows().gatherRows(x, rows, y);
    }

    @Override
    public final void gatherRowsBackward(INDArray dy, int[] rows, INDArray dx) {
        KernelChecks.GATHER_ROWS_BACKWARD.of(sizes(rows.length), dx, dy);
        KernelChecks.indices("gatherRowsBackward", "rows", rows, dx.size(0));
        groups.rows().gatherRowsBackward(dy, rows, dx);
    }

    @Override
    public final void copyColumns(INDArray x, int fromX, INDArray y, int fromY, int count, boolean accumulate) {
        KernelChecks.copyColumns(x, fromX, y, fromY, count);
        groups.rows().copyColumns(x, fromX, y, fromY, count, accumulate);
    }

    @Override
    public final void softmax(INDArray x, INDArray y) {
        KernelChecks.SOFTMAX.of(x, y);
        groups.rows().softmax(x, y);
    }

    @Override
    public final void softmaxBackward(INDArray dy, INDArray y, INDArray dx, boolean accumulate) {
        KernelChecks.SOFTMAX_BACKWARD.of(y, dy, dx);
        groups.rows().softmaxBackward(dy, y, dx, accumulate);
    }

    @Override
    public final void add(INDArray a, INDArray b, INDArray y) {
        KernelChecks.ADD.of(a, b, y);
        groups.elements().add(a, b, y);
    }

    @Override
    public final void multiply(INDArray a, INDArray b, INDArray y, boolean accumulate) {
        KernelChecks.MULTIPLY.of(a, b, y);
        groups.elements().multiply(a, b, y, accumulate);
    }

    @Override
    public final void scale(INDArray x, float alpha, INDArray y, boolean accumulate) {
        KernelChecks.SCALE.of(x, y);
        groups.elements().scale(x, alpha, y, accumulate);
    }

    @Override
    public final void dropout(INDArray x, float p, long seed, INDArray y, boolean accumulate) {
        KernelChecks.probability("dropout", p);
        KernelChecks.DROPOUT.of(x, y);
        KernelChecks.apartWhere(accumulate, "dropout", y, x);
        groups.elements().dropout(x, p, seed, y, accumulate);
    }

    @Override
    public final void activate(Activation f, INDArray x, INDArray y) {
        KernelChecks.ACTIVATE.of(x, y);
        groups.activations().activate(f, x, y);
    }

    @Override
    public final void activateBackward(Activation f, INDArray dy, INDArray x, INDArray dx, boolean accumulate) {
        KernelChecks.ACTIVATE_BACKWARD.of(x, dy, dx);
        groups.activations().activateBackward(f, dy, x, dx, accumulate);
    }

    @Override
    public final void gated(Activation f, INDArray gate, INDArray up, INDArray y) {
        KernelChecks.GATED.of(gate, up, y);
        groups.activations().gated(f, gate, up, y);
    }

    @Override
    public final void gatedBackward(Activation f, INDArray dy, INDArray gate, INDArray up, INDArray dGate,
            INDArray dUp) {
        KernelChecks.GATED_BACKWARD.of(dy, gate, up, dGate, dUp);
        groups.activations().gatedBackward(f, dy, gate, up, dGate, dUp);
    }

    @Override
    public final void clampedGate(INDArray gate, INDArray up, float alpha, float limit, INDArray y) {
        KernelChecks.CLAMPED_GATE.of(gate, up, y);
        KernelChecks.positive("clampedGate", "limit", limit);
        groups.activations().clampedGate(gate, up, alpha, limit, y);
    }

    @Override
    public final void clampedGateBackward(INDArray dy, INDArray gate, INDArray up, float alpha, float limit,
            INDArray dGate, INDArray dUp) {
        KernelChecks.CLAMPED_GATE_BACKWARD.of(dy, gate, up, dGate, dUp);
        KernelChecks.positive("clampedGateBackward", "limit", limit);
        groups.activations().clampedGateBackward(dy, gate, up, alpha, limit, dGate, dUp);
    }

    @Override
    public final void softCap(INDArray x, float cap, INDArray y) {
        KernelChecks.SOFT_CAP.of(x, y);
        KernelChecks.positive("softCap", "cap", cap);
        groups.activations().softCap(x, cap, y);
    }

    @Override
    public final void softCapBackward(INDArray dy, INDArray y, float cap, INDArray dx) {
        KernelChecks.SOFT_CAP_BACKWARD.of(y, dy, dx);
        KernelChecks.positive("softCapBackward", "cap", cap);
        groups.activations().softCapBackward(dy, y, cap, dx);
    }

    @Override
    public final void scaleColumns(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        KernelChecks.SCALE_COLUMNS.of(x, v, y);
        KernelChecks.apartWhere(accumulate, "scaleColumns", y, x);
        groups.scaling().scaleColumns(x, v, y, accumulate);
    }

    @Override
    public final void scaleRows(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        KernelChecks.SCALE_ROWS.of(x, v, y);
        KernelChecks.apartWhere(accumulate, "scaleRows", y, x);
        groups.scaling().scaleRows(x, v, y, accumulate);
    }

    @Override
    public final void columnDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        KernelChecks.COLUMN_DOTS.of(a, b, v);
        groups.scaling().columnDots(a, b, v, accumulate);
    }

    @Override
    public final void rowDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        KernelChecks.ROW_DOTS.of(a, b, v);
        groups.scaling().rowDots(a, b, v, accumulate);
    }

    @Override
    public final void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray rstd) {
        KernelChecks.RMS_NORM.of(x, weight, y, rstd);
        groups.norms().rmsNorm(x, weight, epsilon, y, rstd);
    }

    @Override
    public final void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray rstd, INDArray dx,
            boolean accumulate) {
        KernelChecks.RMS_NORM_BACKWARD.of(x, dy, weight, rstd, dx);
        groups.norms().rmsNormBackward(dy, x, weight, rstd, dx, accumulate);
    }

    @Override
    public final void rmsNormWeightBackward(INDArray dy, INDArray x, INDArray rstd, INDArray dw) {
        KernelChecks.RMS_NORM_WEIGHT_BACKWARD.of(x, dy, rstd, dw);
        groups.norms().rmsNormWeightBackward(dy, x, rstd, dw);
    }

    @Override
    public final void layerNorm(INDArray x, INDArray weight, Optional<INDArray> bias, float epsilon, INDArray y,
            INDArray mean, INDArray rstd) {
        KernelChecks.LAYER_NORM.of(x, weight, bias.orElse(null), y, mean, rstd);
        groups.layerNorms().layerNorm(x, weight, bias, epsilon, y, mean, rstd);
    }

    @Override
    public final void layerNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray mean, INDArray rstd,
            INDArray dx, boolean accumulate) {
        KernelChecks.LAYER_NORM_BACKWARD.of(x, dy, weight, mean, rstd, dx);
        groups.layerNorms().layerNormBackward(dy, x, weight, mean, rstd, dx, accumulate);
    }

    @Override
    public final void layerNormWeightBackward(INDArray dy, INDArray x, INDArray mean, INDArray rstd, INDArray dw,
            Optional<INDArray> db) {
        KernelChecks.LAYER_NORM_WEIGHT_BACKWARD.of(x, dy, mean, rstd, dw, db.orElse(null));
        groups.layerNorms().layerNormWeightBackward(dy, x, mean, rstd, dw, db);
    }

    @Override
    public final void rotary(INDArray x, int headSize, RotaryTable table, int[] positions, boolean inverse) {
        KernelChecks.rotary(x, headSize, table, positions);
        groups.rotary().rotary(x, headSize, table, positions, inverse);
    }

    @Override
    public final void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            AttentionExtras extras, INDArray out, INDArray lse) {
        KernelChecks.attention(q, k, v, layout, shape, extras, out, lse);
        groups.attention().attention(q, k, v, layout, shape, extras, out, lse);
    }

    @Override
    public final boolean readsLogSumExp() {
        return groups.attention().readsLogSumExp();
    }

    @Override
    public final void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, AttentionExtras extras, INDArray dq, INDArray dk,
            INDArray dv) {
        KernelChecks.attention(q, k, v, layout, shape, extras, out, lse, dOut, dq, dk, dv);
        groups.attention().attentionBackward(dOut, q, k, v, out, lse, layout, shape, extras, dq, dk, dv);
    }

    @Override
    public final void convolution(INDArray x, INDArray weight, Optional<INDArray> bias, RowOrder order,
            PieceStates states, INDArray y) {
        KernelChecks.convolution(x, weight, bias, order, states, y);
        groups.sequences().convolution(x, weight, bias, order, states, y);
    }

    @Override
    public final void convolutionBackward(INDArray dy, INDArray weight, RowOrder order, INDArray dx,
            boolean accumulate) {
        KernelChecks.CONVOLUTION_BACKWARD.of(sizes(order.rows()), dy, weight, dx);
        groups.sequences().convolutionBackward(dy, weight, order, dx, accumulate);
    }

    @Override
    public final void scan(ScanShape shape, ScanInputs inputs, RowOrder order, PieceStates states, INDArray y) {
        KernelChecks.scan(shape, inputs, order, states, y);
        groups.sequences().scan(shape, inputs, order, states, y);
    }

    @Override
    public final void scanBackward(INDArray dy, ScanShape shape, ScanInputs inputs, RowOrder order,
            ScanInputs gradients) {
        KernelChecks.scanBackward(dy, shape, inputs, order, gradients);
        groups.sequences().scanBackward(dy, shape, inputs, order, gradients);
    }

    @Override
    public final void crossEntropy(INDArray logits, int[] targets, float[] nll, boolean[] hits) {
        KernelChecks.crossEntropy(logits, targets, nll.length, hits.length);
        groups.losses().crossEntropy(logits, targets, nll, hits);
    }

    @Override
    public final void crossEntropyBackward(INDArray logits, int[] targets, float[] weights) {
        KernelChecks.crossEntropy(logits, targets, weights.length);
        groups.losses().crossEntropyBackward(logits, targets, weights);
    }

    @Override
    public final void crossEntropyGradient(INDArray logits, int[] targets, float[] weights, float[] nll,
            boolean[] hits) {
        KernelChecks.crossEntropy(logits, targets, weights.length, nll.length, hits.length);
        groups.losses().crossEntropyGradient(logits, targets, weights, nll, hits);
    }

    @Override
    public final double sumOfSquares(INDArray x) {
        KernelChecks.SUM_OF_SQUARES.of(x);
        return groups.updates().sumOfSquares(x);
    }

    @Override
    public final void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment,
            AdamWStep step) {
        KernelChecks.ADAM_W.of(parameter, gradient, firstMoment, secondMoment);
        if (step.step() < 1) {
            throw new IllegalArgumentException("adamW: the first step is 1, got " + step.step());
        }
        groups.updates().adamW(parameter, gradient, firstMoment, secondMoment, step);
    }
}
