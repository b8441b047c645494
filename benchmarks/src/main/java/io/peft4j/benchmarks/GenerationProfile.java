package io.peft4j.benchmarks;

import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.measure.TimedKernels;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.eval.GenerationBenchmark;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import java.util.List;
import java.util.Locale;

/**
 * Times greedy answers to random prompts, and says where the time of a token goes. Arguments: model, shape of the
 * prompts as {@code 20x64}, precision, new tokens, runs.
 */
public final class GenerationProfile {
    private static final int WARM_UP = 2;

    private GenerationProfile() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        ModelOptions options = ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.valueOf(args[2].toUpperCase(Locale.ROOT)));
        BatchShape shape = BatchShape.parse(args[1]);
        GenerationOptions how = GenerationOptions.defaults().withBatchSize(shape.sequences())
                .withMaxNewTokens(Integer.parseInt(args[3]));
        int runs = Integer.parseInt(args[4]);
        TimedKernels timed = new TimedKernels(true);
        try (BaseModel model = BaseModel.load(ModelLocator.fromEnvironment().locate(args[0]), options,
                timed.around(KernelSelection.best()))) {
            List<Prompt> prompts = GenerationBenchmark.randomPrompts(model, shape.sequences(), shape.tokens(), 0);
            for (int i = 0; i < WARM_UP; i++) {
                model.generate(prompts, how);
            }
            timed.reset();
            int longest = 0;
            for (int i = 0; i < runs; i++) {
                long begin = System.nanoTime();
                List<Completion> answers = model.generate(prompts, how);
                double seconds = (System.nanoTime() - begin) / 1e9;
                long tokens = answers.stream().mapToLong(answer -> answer.ids().length).sum();
                longest = answers.stream().mapToInt(answer -> answer.ids().length).max().orElseThrow();
                System.out.printf("run %d: %d tokens, %.1f tokens/s, %.2f ms a step%n", i + 1, tokens,
                        tokens / seconds, 1e3 * seconds / longest);
            }
            System.out.print(timed.report(runs * longest));
        }
    }
}
