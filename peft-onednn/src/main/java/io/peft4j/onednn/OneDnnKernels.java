package io.peft4j.onednn;

import io.peft4j.core.kernel.AdamWStep;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.BFloat16Speed;
import io.peft4j.core.kernel.KernelChecks;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.LowRankPart;
import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.core.kernel.ScalingChecks;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.onednn.BinarySpec.Operator;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.engine;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Kernels that run oneDNN's primitives (<a href="https://github.com/uxlfoundation/oneDNN">uxlfoundation/oneDNN</a>) on
 * processors with AVX2 or more. bf16 activations are multiplied in bf16 with f32 sums where the processor is faster
 * that way, otherwise in f32 ({@link BFloat16Products}).
 *
 * <p>An operation is cut into tasks for a few threads ({@link Team}); a task runs primitives that are compiled once
 * for each shape and kept ({@link Lane#call}). oneDNN never refuses a primitive but may offer a reference
 * implementation, a thousand times slower: such are never run, and the work is done in f32 or in a loop of our own
 * instead.
 *
 * <p>Kernels {@linkplain #forGeneration for generation} keep copies of frozen weights ({@link PackedProducts}) that
 * take at most a third of the memory that the process may use ({@link ProcessUsage#memoryLimitBytes}).
 *
 * <p>Products of fewer than 64 rows give the same bits on any number of threads, others may differ in the last ones.
 */
public final class OneDnnKernels implements Kernels {
    private static final int PACKED_SHARE = 3;

    private final engine processor;
    private final Team team;
    private final BFloat16Products bfloat16;
    private final MatrixKernels matrices;
    private final PackedProducts packed;
    private final LowRankKernels lowRank;
    private final AdaptedLinear adapted;
    private final ElementwiseKernels elements;
    private final FewElements fewElements = new FewElements();
    private final ScalingKernels scaling;
    private final RowKernels rows;
    private final NormKernels norms;
    private final RotaryKernel rotary;
    private final AttentionKernels attention;
    private final LossKernels losses;
    private final boolean usesPacked;
    private final OneDnnKernels forGeneration;

    /**
     * Kernels with the given number of threads, the caller's included. Whether bf16 is multiplied as it is or in f32
     * is found out by a measurement of a few milliseconds; {@code -Dpeft4j.onednn.bf16=multiply} or {@code widen}
     * forces it.
     *
     * @throws IllegalStateException when oneDNN does not run here; {@link OneDnnKernelProvider#available} tells
     * @throws io.peft4j.core.error.ConfigurationException when the system property has another value
     */
    public OneDnnKernels(int threads) {
        this(threads, BFloat16Products.asked());
    }

    /**
     * Kernels that compute products of bf16 in a given way.
     *
     * @param bfloat16Way a value of the system property {@link BFloat16Products#PROPERTY}
     */
    OneDnnKernels(int threads, String bfloat16Way) {
        this(threads, bfloat16Way, ProcessUsage.memoryLimitBytes() / PACKED_SHARE);
    }

    /** @param packedBytes the most bytes that copies of frozen weights take */
    OneDnnKernels(int threads, String bfloat16Way, long packedBytes) {
        DnnlLibrary.obstacle().ifPresent(reason -> {
            throw new IllegalStateException("oneDNN does not run on this machine: " + reason);
        });
        if (threads < 1) {
            throw new IllegalArgumentException("the number of threads must be at least 1, got " + threads);
        }
        processor = new engine(engine.kind.cpu, 0);
        team = new Team(threads, processor);
        bfloat16 = BFloat16Products.choose(team, bfloat16Way);
        matrices = new MatrixKernels(team, bfloat16);
        packed = new PackedProducts(team, bfloat16, packedBytes);
        lowRank = new LowRankKernels(team, bfloat16);
        adapted = new AdaptedLinear(team, matrices, lowRank);
        elements = new ElementwiseKernels(team);
        scaling = new ScalingKernels(team);
        rows = new RowKernels(team);
        norms = new NormKernels(team);
        rotary = new RotaryKernel(team);
        attention = new AttentionKernels(team, bfloat16);
        losses = new LossKernels(team);
        usesPacked = false;
        forGeneration = new OneDnnKernels(this);
    }

    /** The same for generation. */
    private OneDnnKernels(OneDnnKernels other) {
        processor = other.processor;
        team = other.team;
        bfloat16 = other.bfloat16;
        matrices = other.matrices;
        packed = other.packed;
        lowRank = other.lowRank;
        adapted = other.adapted;
        elements = other.elements;
        scaling = other.scaling;
        rows = other.rows;
        norms = other.norms;
        rotary = other.rotary;
        attention = other.attention;
        losses = other.losses;
        usesPacked = true;
        forGeneration = this;
    }

    @Override
    public String name() {
        return "onednn";
    }

    @Override
    public Map<String, String> identity() {
        // Gradients are sums over as many groups of rows as there are threads.
        return Map.of("kernels", name(), "threads", String.valueOf(team.size()), "loops",
                team.caller().loops().name(), "bf16_products", bfloat16.toString(), PROCESSOR,
                DnnlLibrary.describe());
    }

    @Override
    public BFloat16Speed bfloat16Speed() {
        return bfloat16.speed();
    }

    @Override
    public void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate) {
        KernelChecks.linear(x, w, y);
        if (!usesPacked || !packed.linear(x, w, y, accumulate)) {
            matrices.linear(x, w, y, accumulate);
        }
    }

    @Override
    public void linearBackward(INDArray dy, FrozenWeight w, INDArray dx, boolean accumulate) {
        KernelChecks.linearBackward(dy, w, dx);
        matrices.linearBackward(dy, w, dx, accumulate);
    }

    @Override
    public void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c, float alpha,
            boolean accumulate) {
        KernelChecks.matmul(a, transposeA, b, transposeB, c);
        matrices.matmul(a, transposeA, b, transposeB, c, alpha, accumulate);
    }

    @Override
    public void lowRank(INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray y) {
        if (lowRank.supports(x, y)) {
            KernelChecks.lowRank(x, a, b, h, y);
            lowRank.forward(x, a, b, scale, h, y);
        } else {
            Kernels.super.lowRank(x, a, b, scale, h, y);
        }
    }

    @Override
    public void lowRankBackward(INDArray dy, INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray dh,
            INDArray dx, boolean accumulate, INDArray da, INDArray db) {
        if (lowRank.supports(x, dy) && lowRank.supports(dx, dy)) {
            KernelChecks.lowRankBackward(dy, x, a, b, h, dh, dx, da, db);
            lowRank.backward(dy, x, a, b, scale, h, dh, dx, accumulate, da, db);
        } else {
            Kernels.super.lowRankBackward(dy, x, a, b, scale, h, dh, dx, accumulate, da, db);
        }
    }

    @Override
    public void linearWithLowRank(INDArray x, FrozenWeight w, INDArray a, INDArray b, float scale, INDArray h,
            INDArray y) {
        if (lowRank.supports(x, y) && !(usesPacked && PackedProducts.suits(x, w))) {
            KernelChecks.linear(x, w, y);
            KernelChecks.lowRank(x, a, b, h, y);
            adapted.forward(x, w, a, b, scale, h, y);
        } else {
            Kernels.super.linearWithLowRank(x, w, a, b, scale, h, y);
        }
    }

    @Override
    public void linearWithLowRankBackward(INDArray dy, FrozenWeight w, INDArray x, INDArray a, INDArray b, float scale,
            INDArray h, INDArray dh, INDArray dx, boolean accumulate, INDArray da, INDArray db) {
        if (lowRank.supports(x, dy) && lowRank.supports(dx, dy)) {
            KernelChecks.linearBackward(dy, w, dx);
            KernelChecks.lowRankBackward(dy, x, a, b, h, dh, dx, da, db);
            adapted.backward(dy, w, x, a, b, scale, h, dh, dx, accumulate, da, db);
        } else {
            Kernels.super.linearWithLowRankBackward(dy, w, x, a, b, scale, h, dh, dx, accumulate, da, db);
        }
    }

    @Override
    public void lowRankByRows(INDArray x, List<LowRankPart> parts, INDArray y) {
        if (lowRank.supports(x, y)) {
            KernelChecks.lowRankByRows(x, parts, y);
            lowRank.forward(x, parts, y);
        } else {
            Kernels.super.lowRankByRows(x, parts, y);
        }
    }

    @Override
    public void lowRankByRowsBackward(INDArray dy, INDArray x, List<LowRankPart> parts,
            List<LowRankPart.Gradient> gradients, INDArray dx) {
        if (lowRank.supports(x, dy) && lowRank.supports(dx, dy) && lowRank.occupiesAll(gradients)) {
            KernelChecks.lowRankByRowsBackward(dy, x, parts, gradients, dx);
            lowRank.backward(dy, x, parts, gradients, dx);
        } else {
            Kernels.super.lowRankByRowsBackward(dy, x, parts, gradients, dx);
        }
    }

    @Override
    public void addBias(INDArray y, INDArray bias) {
        KernelChecks.addBias(y, bias);
        rows.addBias(y, bias);
    }

    @Override
    public void addBiasBackward(INDArray dy, INDArray db, boolean accumulate) {
        KernelChecks.addBiasBackward(dy, db);
        rows.addBiasBackward(dy, db, accumulate);
    }

    @Override
    public void gather(FrozenWeight table, int[] ids, INDArray y) {
        KernelChecks.gather(table, ids, y);
        rows.gather(table, ids, y);
    }

    @Override
    public void gatherRows(INDArray x, int[] chosen, INDArray y) {
        KernelChecks.gatherRows(x, chosen, y);
        rows.gatherRows(x, chosen, y);
    }

    @Override
    public void gatherRowsBackward(INDArray dy, int[] chosen, INDArray dx) {
        KernelChecks.gatherRowsBackward(dy, chosen, dx);
        rows.gatherRowsBackward(dy, chosen, dx);
    }

    @Override
    public void add(INDArray a, INDArray b, INDArray y) {
        KernelChecks.binary("add", a, b, y);
        if (FewElements.takes(y.length())) {
            fewElements.add(a, b, y);
        } else {
            elements.binary(Operator.ADD, a, b, y, false);
        }
    }

    @Override
    public void multiply(INDArray a, INDArray b, INDArray y, boolean accumulate) {
        KernelChecks.binary("multiply", a, b, y);
        elements.binary(Operator.MULTIPLY, a, b, y, accumulate);
    }

    @Override
    public void scale(INDArray x, float alpha, INDArray y, boolean accumulate) {
        KernelChecks.scale(x, y);
        elements.scale(x, alpha, y, accumulate);
    }

    @Override
    public void siluMultiply(INDArray gate, INDArray up, INDArray y) {
        KernelChecks.siluMultiply(gate, up, y);
        elements.siluMultiply(gate, up, y);
    }

    @Override
    public void siluMultiplyBackward(INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp) {
        KernelChecks.siluMultiplyBackward(dy, gate, up, dGate, dUp);
        elements.siluMultiplyBackward(dy, gate, up, dGate, dUp);
    }

    @Override
    public void dropout(INDArray x, float p, long seed, INDArray y, boolean accumulate) {
        KernelChecks.dropout(x, p, y, accumulate);
        elements.dropout(x, p, seed, y, accumulate);
    }

    @Override
    public void scaleColumns(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        if (ScalingKernels.supports(x, v)) {
            ScalingChecks.scaleColumns(x, v, y, accumulate);
            scaling.scaleColumns(x, v, y, accumulate);
        } else {
            Kernels.super.scaleColumns(x, v, y, accumulate);
        }
    }

    @Override
    public void scaleRows(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        if (ScalingKernels.supports(x, v)) {
            ScalingChecks.scaleRows(x, v, y, accumulate);
            scaling.scaleRows(x, v, y, accumulate);
        } else {
            Kernels.super.scaleRows(x, v, y, accumulate);
        }
    }

    @Override
    public void columnDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        ScalingChecks.columnDots(a, b, v);
        scaling.columnDots(a, b, v, accumulate);
    }

    @Override
    public void rowDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        ScalingChecks.rowDots(a, b, v);
        scaling.rowDots(a, b, v, accumulate);
    }

    @Override
    public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray rstd) {
        KernelChecks.rmsNorm(x, weight, y, rstd);
        norms.forward(x, weight, epsilon, y, rstd);
    }

    @Override
    public void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray rstd, INDArray dx,
            boolean accumulate) {
        KernelChecks.rmsNormBackward(dy, x, weight, rstd, dx);
        norms.backward(dy, x, weight, rstd, dx, accumulate);
    }

    @Override
    public void rmsNormWeightBackward(INDArray dy, INDArray x, INDArray rstd, INDArray dw) {
        KernelChecks.rmsNormWeightBackward(dy, x, rstd, dw);
        norms.weightBackward(dy, x, rstd, dw);
    }

    @Override
    public void rotary(INDArray x, int headSize, RotaryTable table, int[] positions, boolean inverse) {
        KernelChecks.rotary(x, headSize, table, positions);
        rotary.rotate(x, headSize, table, positions, inverse);
    }

    @Override
    public void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            INDArray out, INDArray lse) {
        KernelChecks.attention(q, k, v, layout, shape, out, lse);
        attention.forward(q, k, v, layout, shape, out);
    }

    @Override
    public boolean readsLogSumExp() {
        return false;
    }

    @Override
    public void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, INDArray dq, INDArray dk, INDArray dv) {
        KernelChecks.attentionBackward(dOut, q, k, v, out, lse, layout, shape, dq, dk, dv);
        attention.backward(dOut, q, k, v, layout, shape, dq, dk, dv);
    }

    @Override
    public void crossEntropy(INDArray logits, int[] targets, float[] nll) {
        KernelChecks.crossEntropy(logits, targets, nll);
        losses.crossEntropy(logits, targets, nll);
    }

    @Override
    public void crossEntropyBackward(INDArray logits, int[] targets, float[] weights) {
        KernelChecks.crossEntropy(logits, targets, weights);
        losses.crossEntropyBackward(logits, targets, weights);
    }

    @Override
    public void crossEntropyGradient(INDArray logits, int[] targets, float[] weights, float[] nll) {
        KernelChecks.crossEntropy(logits, targets, weights);
        KernelChecks.crossEntropy(logits, targets, nll);
        losses.crossEntropyGradient(logits, targets, weights, nll);
    }

    @Override
    public double sumOfSquares(INDArray x) {
        KernelChecks.sumOfSquares(x);
        return elements.sumOfSquares(x);
    }

    @Override
    public void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment,
            AdamWStep step) {
        KernelChecks.adamW(parameter, gradient, firstMoment, secondMoment, step);
        elements.adamW(parameter, gradient, firstMoment, secondMoment, step);
    }

    @Override
    public Kernels forGeneration() {
        return forGeneration;
    }

    @Override
    public void forget(FrozenWeight weight) {
        packed.forget(weight);
    }

    /** The bytes that copies of frozen weights take now. */
    long packedBytes() {
        return packed.bytes();
    }

    @Override
    public void close() {
        packed.close();
        team.close();
        processor.deallocate();
    }
}
