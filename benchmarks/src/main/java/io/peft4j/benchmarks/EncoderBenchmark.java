package io.peft4j.benchmarks;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a layer of an encoder of MiniLM's shape (hidden 384, 12 heads, 1,536 inside) computes beside its products with
 * weights; {@code peers/torch_encoder.py} measures the same in PyTorch.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class EncoderBenchmark {
    private static final int HIDDEN = 384;
    private static final int INNER = 1536;
    private static final AttentionShape HEADS = new AttentionShape(12, 12, 32, (float) (1 / Math.sqrt(32)));
    private static final float EPSILON = 1e-12f;

    /** Sequences x tokens of each. */
    @Param({"32x64", "4x512"})
    public String shape;

    /** Keys that a token sees, half on either side; 0 for all. */
    @Param("0")
    public int window;

    private AttentionLayout layout;
    private INDArray q;
    private INDArray k;
    private INDArray v;
    private INDArray out;
    private INDArray lse;
    private INDArray dOut;
    private INDArray dq;
    private INDArray dk;
    private INDArray dv;
    private INDArray weight;
    private INDArray bias;
    private INDArray mean;
    private INDArray rstd;
    private INDArray inner;
    private INDArray dInner;
    private INDArray innerBias;
    private INDArray result;

    /** Makes the arrays; mean and rstd are those that the gradient reads. */
    @Setup
    public void arrays(KernelState state) {
        BatchShape batch = BatchShape.parse(shape);
        int[] lengths = new int[batch.sequences()];
        Arrays.fill(lengths, batch.tokens());
        layout = AttentionLayout.bidirectional(lengths);
        layout = window == 0 ? layout : layout.windowed(window);
        int rows = layout.queryRows();
        q = state.random(rows, HIDDEN);
        k = state.random(rows, HIDDEN);
        v = state.random(rows, HIDDEN);
        out = state.random(rows, HIDDEN);
        lse = state.randomFloats(rows, HEADS.heads());
        dOut = state.random(rows, HIDDEN);
        dq = state.random(rows, HIDDEN);
        dk = state.random(rows, HIDDEN);
        dv = state.random(rows, HIDDEN);
        weight = state.randomFloats(HIDDEN);
        bias = state.randomFloats(HIDDEN);
        mean = state.randomFloats(rows);
        rstd = state.randomFloats(rows);
        inner = state.random(rows, INNER);
        dInner = state.random(rows, INNER);
        innerBias = state.randomFloats(INNER);
        result = state.random(rows, INNER);
        state.get().layerNorm(q, weight, Optional.of(bias), EPSILON, out, mean, rstd);
    }

    /** Attention. */
    @Benchmark
    public void attention(KernelState state) {
        state.get().attention(q, k, v, layout, HEADS, out, lse);
    }

    /** The gradients of queries, keys and values. */
    @Benchmark
    public void attentionBackward(KernelState state) {
        state.get().attentionBackward(dOut, q, k, v, out, lse, layout, HEADS, dq, dk, dv);
    }

    /** Layer norm. */
    @Benchmark
    public void layerNorm(KernelState state) {
        state.get().layerNorm(q, weight, Optional.of(bias), EPSILON, out, mean, rstd);
    }

    /** Gradient of layer norm for its input. */
    @Benchmark
    public void layerNormBackward(KernelState state) {
        state.get().layerNormBackward(dOut, q, weight, mean, rstd, dq, false);
    }

    /** GELU. */
    @Benchmark
    public void gelu(KernelState state) {
        state.get().activate(Activation.GELU, inner, result);
    }

    /** Gradient of GELU. */
    @Benchmark
    public void geluBackward(KernelState state) {
        state.get().activateBackward(Activation.GELU, dInner, inner, result, false);
    }

    /** GELU by its approximation. */
    @Benchmark
    public void geluTanh(KernelState state) {
        state.get().activate(Activation.GELU_TANH, inner, result);
    }

    /** A bias of a layer's widest projection. */
    @Benchmark
    public void addBias(KernelState state) {
        state.get().addBias(result, innerBias);
    }
}
