package io.peft4j.benchmarks;

import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.eval.GenerationBenchmark;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.TrainingBenchmark;
import io.peft4j.train.TrainingPasses;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Updates;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How long an answer of one token waits while a LoRA adapter is trained on the same base, and what that costs the
 * training: answers with pauses between them and without, alone and beside a training, in turn. Arguments: model, shape
 * of the training's batches as {@code 4x128}, precision, answers a series, rounds.
 */
public final class AnswersBesideTraining {
    private static final int PROMPT_TOKENS = 32;
    private static final GenerationOptions ONE_TOKEN = GenerationOptions.defaults().withMaxNewTokens(1);

    private AnswersBesideTraining() {
    }

    /** Runs the program. */
    public static void main(String[] args) throws InterruptedException {
        ModelOptions options = ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.valueOf(args[2].toUpperCase(Locale.ROOT)));
        int answers = Integer.parseInt(args[3]);
        try (BaseModel base = BaseModel.load(args[0], options)) {
            List<Prompt> prompt = GenerationBenchmark.randomPrompts(base, 1, PROMPT_TOKENS, 0);
            Training training = new Training(base, BatchShape.parse(args[1]));
            milliseconds(base, prompt, answers, 0);
            training.run(() -> Thread.sleep(3000));
            for (int round = 0; round < Integer.parseInt(args[4]); round++) {
                double alone = median(milliseconds(base, prompt, answers, 20));
                double[] beside = new double[3];
                double trainingAlone = training.run(() -> Thread.sleep(5000));
                double spaced = training.run(() -> beside[0] = median(milliseconds(base, prompt, answers, 200)));
                double dense = training.run(() -> {
                    double[] times = milliseconds(base, prompt, 10 * answers, 0);
                    beside[1] = median(times);
                    beside[2] = times[(int) (0.95 * times.length)];
                });
                System.out.printf("answer of one token: %.1f ms alone, %.1f beside a training (five a second), %.1f "
                        + "(one after the other, 95 %% within %.1f); training: %.0f tokens/s alone, %.0f and %.0f "
                        + "(%.0f %%) beside answers%n", alone, beside[0], beside[1], beside[2], trainingAlone,
                        spaced, dense, 100 * dense / trainingAlone);
            }
        }
    }

    /** Sorted times of answers. */
    private static double[] milliseconds(BaseModel base, List<Prompt> prompt, int answers, long pauseMillis)
            throws InterruptedException {
        double[] times = new double[answers];
        for (int i = 0; i < answers; i++) {
            Thread.sleep(pauseMillis);
            long begin = System.nanoTime();
            base.generate(prompt, ONE_TOKEN);
            times[i] = (System.nanoTime() - begin) / 1e6;
        }
        Arrays.sort(times);
        return times;
    }

    private static double median(double... sorted) {
        return sorted[sorted.length / 2];
    }

    @FunctionalInterface
    private interface Meanwhile {
        void run() throws InterruptedException;
    }

    /** A training on a thread of its own. */
    private record Training(BaseModel base, BatchShape shape) {
        /** Trains while something else runs; tokens a second. */
        double run(Meanwhile meanwhile) throws InterruptedException {
            AtomicLong tokens = new AtomicLong();
            Thread thread = new Thread(() -> train(tokens), "training");
            thread.start();
            while (tokens.get() == 0) {
                Thread.sleep(10);
            }
            long first = tokens.get();
            long begin = System.nanoTime();
            meanwhile.run();
            double seconds = (System.nanoTime() - begin) / 1e9;
            long last = tokens.get();
            thread.interrupt();
            thread.join();
            return (last - first) / seconds;
        }

        private void train(AtomicLong tokens) {
            LoraConfig lora = LoraConfig.builder().rank(16).alpha(32).targetModules(TargetModules.ALL_LINEAR).build();
            PackedBatch batch = PackedBatch.of(TrainingBenchmark.randomExamples(base, shape.sequences(),
                    shape.tokens(), 1));
            try (PeftModel model = base.withAdapter(lora);
                    TrainingPasses passes = TrainingPasses.of(model);
                    Updates optimizer = new Updates(model.engine(), model.trainableParameters(), AdamW.DEFAULT, 0)) {
                for (long step = 0; !Thread.currentThread().isInterrupted(); step++) {
                    passes.training(batch, step, pass -> pass.backward(batch.targets().count()));
                    optimizer.step(1e-4, 1);
                    tokens.addAndGet(batch.rows());
                }
            }
        }
    }
}
