package io.peft4j.benchmarks;

import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.lora.LoraConfig;
import io.peft4j.train.TrainingBenchmark;
import io.peft4j.train.TrainingPasses;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One batch of 8 x 64 tokens through one LoRA adapter, or each sequence through one of its own. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 3, time = 5)
@Fork(1)
public class RowAdaptersBenchmark {
    private static final int SEQUENCES = 8;

    /** How many adapters share the batch. */
    @Param({"1", "8"})
    public int adapters;

    private RandomModel base;
    private PeftModel model;
    private PackedBatch batch;
    private TrainingPasses passes;

    /** Makes a model of six decoder layers. */
    @Setup
    public void model(KernelState state) {
        base = RandomModel.of(state, 6);
        model = new PeftModel(base);
        LoraConfig config = LoraConfig.builder().rank(8).alpha(16).targetModules(TargetModules.ALL_LINEAR).build();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < adapters; i++) {
            names.add("adapter-" + i);
            model.addAdapter(names.get(i), config, new SplittableRandom(i));
        }
        if (adapters > 1) {
            model.activateByRow(names.toArray(String[]::new));
        }
        List<TokenSequence> sequences = new ArrayList<>();
        TrainingBenchmark.randomExamples(base, SEQUENCES, 64, 1)
                .forEach(sequence -> sequences.add(sequence.inGroup(sequences.size() % adapters)));
        batch = PackedBatch.of(sequences);
        passes = TrainingPasses.of(model);
    }

    /** Frees it. */
    @TearDown
    public void close() {
        passes.close();
        model.close();
        base.close();
    }

    /** A forward pass and all gradients. */
    @Benchmark
    public double train() {
        return passes.training(batch, 0, pass -> pass.backward(batch.targets().count()));
    }

    /** A forward pass alone. */
    @Benchmark
    public double[] evaluate() {
        return passes.evaluation(batch, Pass::sequenceNegativeLogLikelihoods);
    }
}
