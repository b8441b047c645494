package io.peft4j.benchmarks;

import io.peft4j.core.peft.PeftModel;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Merging LoRA of rank 16 on all linear layers into copies of the weights, and going back. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 3, time = 5)
@Fork(1)
public class MergeBenchmark {
    private RandomModel base;
    private PeftModel model;

    /** Makes the model. */
    @Setup
    public void model(KernelState state) {
        base = RandomModel.of(state, 30);
        model = base.withLora(16);
    }

    /** Frees it. */
    @TearDown
    public void close() {
        model.close();
        base.close();
    }

    /** There and back. */
    @Benchmark
    public void mergeAndUnmerge() {
        model.merge();
        model.unmerge();
    }
}
