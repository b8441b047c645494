package io.peft4j.benchmarks;

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

/** The products of a LoRA pair at a layer of 576 x 1536 on 512 tokens; what adapters hold is always f32. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class LowRankBenchmark {
    private static final int TOKENS = 512;
    private static final int IN = 576;
    private static final int OUT = 1536;

    /** r. */
    @Param({"8", "16", "64"})
    public int rank;

    private INDArray x;
    private INDArray y;
    private INDArray a;
    private INDArray b;
    private INDArray xa;
    private INDArray da;
    private INDArray db;

    /** Makes the arrays. */
    @Setup
    public void arrays(KernelState state) {
        x = state.random(TOKENS, IN);
        y = state.random(TOKENS, OUT);
        a = state.randomFloats(rank, IN);
        b = state.randomFloats(OUT, rank);
        xa = state.randomFloats(TOKENS, rank);
        da = state.randomFloats(rank, IN);
        db = state.randomFloats(OUT, rank);
    }

    /** {@code x A^T}. */
    @Benchmark
    public void down(KernelState state) {
        state.get().matmul(x, false, a, true, xa, 1, false);
    }

    /** {@code y += s (x A^T) B^T}; a small s keeps the sums in range. */
    @Benchmark
    public void up(KernelState state) {
        state.get().matmul(xa, false, b, true, y, 1e-9f, true);
    }

    /** Gradient of B: {@code dy^T (x A^T)}. */
    @Benchmark
    public void gradientOfB(KernelState state) {
        state.get().matmul(y, true, xa, false, db, 1, false);
    }

    /** Gradient of A: {@code d(x A^T)^T x}. */
    @Benchmark
    public void gradientOfA(KernelState state) {
        state.get().matmul(xa, true, x, false, da, 1, false);
    }
}
