package io.peft4j.benchmarks;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.eval.support.GenerationBenchmark;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Greedy answers of 32 tokens to prompts of 32; the time of one token for all rows, the prompt's share included. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 3, time = 5)
@Fork(1)
public class DecodingBenchmark {
    private static final int TOKENS = 32;

    /** Prompts at once. */
    @Param({"1", "20"})
    public int batch;

    private RandomModel model;
    private List<Prompt> prompts;

    /** Makes the model. */
    @Setup
    public void model(KernelState state) {
        model = RandomModel.of(state, 30);
        prompts = GenerationBenchmark.randomPrompts(model, batch, TOKENS, 1);
    }

    /** Frees it. */
    @TearDown
    public void close() {
        model.close();
    }

    /** All answers. */
    @Benchmark
    @OperationsPerInvocation(TOKENS)
    public List<Completion> decode() {
        return model.generate(prompts, GenerationOptions.defaults().withMaxNewTokens(TOKENS));
    }
}
