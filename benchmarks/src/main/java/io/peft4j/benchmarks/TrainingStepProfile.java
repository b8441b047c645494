package io.peft4j.benchmarks;

import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.measure.SpeedLimits;
import io.peft4j.core.measure.TimedKernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingBenchmark;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.TrainingResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Times each operation of a training (LoRA of rank 16 on all linear layers, AdamW) and says where the time goes.
 * Arguments: model, batches, {@code f32} or another precision, steps. Batches are a shape as {@code 4x128}, random
 * tokens that are all supervised, or {@code FILE.jsonl:8}, chat data in the file's order.
 */
public final class TrainingStepProfile {
    private static final int RANK = 16;
    private static final int WARM_UP = 6;

    private TrainingStepProfile() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        ModelOptions options = ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.valueOf(args[2].toUpperCase(Locale.ROOT)));
        int steps = Integer.parseInt(args[3]);
        Kernels kernels = KernelSelection.best();
        TimedKernels timed = new TimedKernels(true);
        LoraConfig lora = LoraConfig.builder().rank(RANK).alpha(2 * RANK).targetModules(TargetModules.ALL_LINEAR)
                .build();
        int colon = args[1].lastIndexOf(':');
        BatchShape shape = colon < 0 ? BatchShape.parse(args[1])
                : new BatchShape(Integer.parseInt(args[1].substring(colon + 1)), 0);
        try (BaseModel base = BaseModel.load(ModelLocator.fromEnvironment().locate(args[0]), options,
                timed.around(kernels)); PeftModel model = base.withAdapter(lora)) {
            List<TokenSequence> examples = colon < 0 ? random(shape)
                    : TrainingBenchmark.chatExamples(model, ChatDataset.read(Path.of(args[1].substring(0, colon))));
            TrainingResult result = Trainer.builder(model).options(TrainingOptions.of(1, shape.sequences(), 1e-4))
                    .shuffle(false).maxSteps(WARM_UP + steps).profile(true).listener(new TrainingListener() {
                        @Override
                        public void onStep(StepMetrics step) {
                            if (step.step() == WARM_UP) {
                                timed.reset();
                            }
                            timed.count(step.step() < WARM_UP + steps);
                        }
                    }).build().train(examples);
            System.out.print(timed.report(steps));
            double limit = SpeedLimits.matmulGflops(kernels, base.network().description().activationType());
            double gflops = timed.flops() / timed.seconds(TimedKernels.Part.PRODUCTS) / 1e9;
            double[] seconds = result.steps().stream().skip(WARM_UP).mapToDouble(StepMetrics::seconds).sorted()
                    .toArray();
            System.out.printf("%s%nproducts at %.1f GFLOPS, %.1f %% of the limit of %.1f; median %.1f ms, %.1f "
                    + "tokens/s%n", result.profile().orElseThrow(), gflops, 100 * gflops / limit, limit,
                    1e3 * seconds[steps / 2], result.tokensPerSecond());
        }
    }

    private static List<TokenSequence> random(BatchShape sizes) {
        Random random = new Random(sizes.sequences() * 31L + sizes.tokens());
        return IntStream.range(0, sizes.sequences()).mapToObj(i -> TokenSequence.allSupervised(
                random.ints(sizes.tokens(), 100, 40_000).toArray())).toList();
    }
}
