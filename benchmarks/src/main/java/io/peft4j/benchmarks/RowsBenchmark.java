package io.peft4j.benchmarks;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.RotaryTable;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What is neither a product nor attention, on 512 tokens. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class RowsBenchmark {
    private static final int TOKENS = 512;
    private static final int HIDDEN = 576;
    private static final int INNER = 1536;
    private static final int HEAD_SIZE = 64;

    private INDArray x;
    private INDArray y;
    private INDArray dy;
    private INDArray rstd;
    private INDArray normWeight;
    private INDArray gate;
    private INDArray up;
    private INDArray dGate;
    private INDArray dUp;
    private RotaryTable table;
    private int[] positions;

    /** Makes the arrays. */
    @Setup
    public void arrays(KernelState state) {
        x = state.random(TOKENS, HIDDEN);
        y = state.random(TOKENS, HIDDEN);
        dy = state.random(TOKENS, HIDDEN);
        rstd = state.randomFloats(TOKENS);
        normWeight = state.randomFloats(HIDDEN);
        gate = state.random(TOKENS, INNER);
        up = state.random(TOKENS, INNER);
        dGate = state.random(TOKENS, INNER);
        dUp = state.random(TOKENS, INNER);
        float[] frequencies = new float[HEAD_SIZE / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = (float) Math.pow(1e5, -2.0 * i / HEAD_SIZE);
        }
        table = new RotaryTable(frequencies, TOKENS, 1);
        positions = IntStream.range(0, TOKENS).map(i -> i % 128).toArray();
    }

    /** RMS norm. */
    @Benchmark
    public void rmsNorm(KernelState state) {
        state.get().rmsNorm(x, normWeight, 1e-5f, y, rstd);
    }

    /** Gradient of the RMS norm for its input. */
    @Benchmark
    public void rmsNormBackward(KernelState state) {
        state.get().rmsNormBackward(dy, x, normWeight, rstd, y, false);
    }

    /** Rotary positions of the queries, in place. */
    @Benchmark
    public void rotary(KernelState state) {
        state.get().rotary(x, HEAD_SIZE, table, positions, false);
    }

    /** SwiGLU. */
    @Benchmark
    public void siluMultiply(KernelState state) {
        state.get().gated(Activation.SILU, gate, up, dGate);
    }

    /** Gradients of SwiGLU. */
    @Benchmark
    public void siluMultiplyBackward(KernelState state) {
        state.get().gatedBackward(Activation.SILU, up, gate, up, dGate, dUp);
    }

    /** Sum of a residual connection. */
    @Benchmark
    public void add(KernelState state) {
        state.get().add(x, dy, y);
    }
}
