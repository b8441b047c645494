package io.peft4j.benchmarks;

import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import java.util.Arrays;
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

/** Attention of 9 query heads and 3 key/value heads of 64. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class AttentionBenchmark {
    private static final AttentionShape HEADS = new AttentionShape(9, 3, 64, 0.125f);

    /** Sequences x tokens of each. */
    @Param({"4x128", "1x512", "1x2048"})
    public String shape;

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

    /** Makes the arrays; out and lse are those that the gradient reads. */
    @Setup
    public void arrays(KernelState state) {
        BatchShape batch = BatchShape.parse(shape);
        int[] lengths = new int[batch.sequences()];
        Arrays.fill(lengths, batch.tokens());
        layout = AttentionLayout.packed(lengths);
        int rows = layout.queryRows();
        q = state.random(rows, HEADS.queryColumns());
        k = state.random(rows, HEADS.keyColumns());
        v = state.random(rows, HEADS.keyColumns());
        out = state.random(rows, HEADS.queryColumns());
        lse = state.randomFloats(rows, HEADS.heads());
        dOut = state.random(rows, HEADS.queryColumns());
        dq = state.random(rows, HEADS.queryColumns());
        dk = state.random(rows, HEADS.keyColumns());
        dv = state.random(rows, HEADS.keyColumns());
        state.get().attention(q, k, v, layout, HEADS, out, lse);
    }

    /** The outputs. */
    @Benchmark
    public void forward(KernelState state) {
        state.get().attention(q, k, v, layout, HEADS, out, lse);
    }

    /** The gradients of queries, keys and values. */
    @Benchmark
    public void backward(KernelState state) {
        state.get().attentionBackward(dOut, q, k, v, out, lse, layout, HEADS, dq, dk, dv);
    }
}
