package io.peft4j.benchmarks;

import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.lora.LoraConfig;
import io.peft4j.methods.LnTuningConfig;
import io.peft4j.train.TrainingBenchmark;
import io.peft4j.train.TrainingPasses;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Updates;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
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

/**
 * What an adapter adds to an update: the frozen model forward and back to its lowest layer, and the same with rank 8 on
 * all linear layers.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 4)
@Measurement(iterations = 4, time = 5)
@Fork(1)
public class AdapterCostBenchmark {
    /** {@code frozen} trains the lowest norm alone, so that gradients go through all layers; else a method's name. */
    @Param({"frozen", "lora", "dora"})
    public String adapter;

    /** Sequences x tokens of each. */
    @Param("4x128")
    public String shape = "4x128";

    private RandomModel base;
    private PeftModel model;
    private PackedBatch batch;
    private TrainingPasses passes;
    private Updates optimizer;

    /** Makes the model. */
    @Setup
    public void model(KernelState state) {
        base = RandomModel.of(state, 30);
        model = PeftModel.of(base, config());
        BatchShape sizes = BatchShape.parse(shape);
        batch = PackedBatch.of(TrainingBenchmark.randomExamples(base, sizes.sequences(), sizes.tokens(), 1));
        passes = TrainingPasses.of(model);
        optimizer = new Updates(base.engine(), model.trainableParameters(), AdamW.DEFAULT, 0);
    }

    private PeftConfig config() {
        return switch (adapter) {
            case "frozen" -> LnTuningConfig.builder().targetModules("layers.0.input_layernorm").build();
            case "lora", "dora" -> LoraConfig.builder().rank(8).alpha(16).targetModules(TargetModules.ALL_LINEAR)
                    .dora(adapter.equals("dora")).build();
            default -> other();
        };
    }

    /** Any method on all linear layers. */
    private PeftConfig other() {
        PeftMethod method = PeftMethods.byName(adapter);
        String settings = method.exampleSettings().entrySet().stream()
                .map(entry -> ", \"" + entry.getKey() + "\": " + entry.getValue()).collect(Collectors.joining());
        return PeftMethods.readConfig("{\"peft_type\": \"" + method.peftType()
                + "\", \"target_modules\": \"all-linear\"" + settings + "}", adapter);
    }

    /** Frees it. */
    @TearDown
    public void close() {
        optimizer.close();
        passes.close();
        model.close();
        base.close();
    }

    /** Loss, gradients, clipping and AdamW. */
    @Benchmark
    public double step() {
        double loss = passes.training(batch, 0, pass -> pass.backward(batch.targets().count()));
        optimizer.step(1e-5, Math.min(1, 1 / optimizer.gradientNorm()));
        return loss;
    }

    /** The loss alone: a forward pass without gradients. */
    @Benchmark
    public float[] evaluate() {
        return passes.evaluation(batch, Pass::negativeLogLikelihoods);
    }
}
