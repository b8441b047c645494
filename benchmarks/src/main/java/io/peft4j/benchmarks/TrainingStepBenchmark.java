package io.peft4j.benchmarks;

import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.train.internal.pass.TrainingPasses;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Updates;
import io.peft4j.train.support.TrainingBenchmark;
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

/** A whole update: loss, gradients, clipping and AdamW, with LoRA of rank 16 on all linear layers. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 3, time = 5)
@Fork(1)
public class TrainingStepBenchmark {
    /** Sequences x tokens of each. */
    @Param({"4x128", "1x512"})
    public String shape;

    private RandomModel base;
    private PeftModel model;
    private PackedBatch batch;
    private TrainingPasses passes;
    private Updates optimizer;

    /** Makes the model. */
    @Setup
    public void model(KernelState state) {
        base = RandomModel.of(state, 30);
        model = base.withLora(16);
        BatchShape sizes = BatchShape.parse(shape);
        batch = PackedBatch.of(TrainingBenchmark.randomExamples(base, sizes.sequences(), sizes.tokens(), 1));
        passes = TrainingPasses.of(model);
        optimizer = new Updates(base.engine(), model.trainableParameters(), AdamW.DEFAULT, 0);
    }

    /** Frees it. */
    @TearDown
    public void close() {
        optimizer.close();
        passes.close();
        model.close();
        base.close();
    }

    /** One update; returns the loss. */
    @Benchmark
    public double step() {
        double loss = passes.training(batch, 0, pass -> pass.backward(batch.targets().count()));
        optimizer.step(1e-5, Math.min(1, 1 / optimizer.gradientNorm()));
        return loss;
    }

    /** The loss alone: a forward pass without gradients. */
    @Benchmark
    public double[] evaluate() {
        return passes.evaluation(batch, Pass::sequenceNegativeLogLikelihoods);
    }
}
