package io.peft4j.benchmarks;

import io.peft4j.core.weight.DenseWeight;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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
 * Products with frozen weights. The shape 2048x2048 stands in no model of this size: its rate is the limit that the
 * others are a share of.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class LinearBenchmark {
    /** Tokens; 1 is a step of generation. */
    @Param({"512", "1"})
    public int rows;

    /** Input x output features. */
    @Param({"576x576", "576x192", "576x1536", "1536x576", "2048x2048"})
    public String shape;

    private INDArray x;
    private INDArray y;
    private DenseWeight w;

    /** Makes the arrays. */
    @Setup
    public void arrays(KernelState state) {
        int[] sizes = Stream.of(shape.split("x")).mapToInt(Integer::parseInt).toArray();
        x = state.random(rows, sizes[0]);
        y = state.random(rows, sizes[1]);
        w = state.weight(sizes[1], sizes[0]);
    }

    /** {@code y = x W^T}. */
    @Benchmark
    public void forward(KernelState state, MatrixWork work) {
        state.get().linear(x, w, y, false);
        work.product(rows, w.columns(), w.rows());
    }

    /** {@code dx = dy W}. */
    @Benchmark
    public void backward(KernelState state, MatrixWork work) {
        state.get().linearBackward(y, w, x, false);
        work.product(rows, w.columns(), w.rows());
    }
}
