package io.peft4j.train;

import static io.peft4j.train.Runs.assertMessage;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.LoraConfigBuilder;
import io.peft4j.methods.Ia3Config;
import io.peft4j.train.optimizer.Lion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Adapters that are trained in common passes are what each becomes alone. */
class SideBySideTrainerTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(11, 1);
    private static final List<TokenSequence> HELD = Tiny.examples(5, 2);

    @TempDir
    private Path folder;

    /** A trial: an adapter, and how it is trained. */
    private record Trial(PeftConfig config, UnaryOperator<TrainerBuilder> options) {
    }

    private static LoraConfigBuilder lora(int rank) {
        return LoraConfig.builder().rank(rank).alpha(2 * rank).targetModules("q_proj", "v_proj", "up_proj");
    }

    /** Other ranks, places, methods, batches, lengths, optimizers and orders. */
    private static final List<Trial> TRIALS = List.of(
            new Trial(lora(2).build(), b -> b.epochs(2).batchSize(3)),
            new Trial(lora(4).build(), b -> b.epochs(1).batchSize(2).gradientAccumulation(2).learningRate(0.03)),
            new Trial(lora(1).targetModules("down_proj").build(), b -> b.epochs(3).batchSize(4).seed(5)
                    .optimizer(Lion.DEFAULT).learningRate(3e-3)),
            new Trial(Ia3Config.builder().targetModules("k_proj", "down_proj").feedforwardModules("down_proj").build(),
                    b -> b.maxSteps(7).batchSize(3).evaluateEverySteps(3).keepBest(true)
                            .schedule(LearningRateSchedule.CONSTANT).maxGradNorm(0)));

    private static TinyModel base(KernelProvider kernels) {
        return new TinyModel(new TinyNetwork(5, false, true), new WordTokenizer(TinyNetwork.VOCABULARY),
                kernels.create(2));
    }

    private static PeftModel model(TinyModel base, PeftConfig config) {
        return PeftModel.of(base, config, new SplittableRandom(3));
    }

    private Trainer trainer(PeftModel model, Trial trial, Path output) {
        return trial.options().apply(Trainer.builder(model).options(TrainingOptions.of(3, 8, 0.01)).validation(HELD)
                .output(output).logProgress(false)).build();
    }

    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void theLossesAreThoseOfEachTrainingByItself(KernelProvider kernels) {
        List<TrainingResult> alone = new ArrayList<>();
        List<float[]> values = new ArrayList<>();
        for (int i = 0; i < TRIALS.size(); i++) {
            try (TinyModel base = base(kernels); PeftModel model = model(base, TRIALS.get(i).config())) {
                alone.add(trainer(model, TRIALS.get(i), folder.resolve("alone" + i)).train(EXAMPLES));
                values.add(values(model));
            }
        }
        try (TinyModel base = base(kernels)) {
            List<PeftModel> models = TRIALS.stream().map(trial -> model(base, trial.config())).toList();
            List<Trainer> trainers = new ArrayList<>();
            for (int i = 0; i < TRIALS.size(); i++) {
                trainers.add(trainer(models.get(i), TRIALS.get(i), folder.resolve("together" + i)));
            }
            List<SideBySideTrainer.Outcome> outcomes = SideBySideTrainer.of(trainers).train(EXAMPLES);
            for (int i = 0; i < TRIALS.size(); i++) {
                TrainingResult together = outcomes.get(i).result().orElseThrow();
                assertSame(alone.get(i), together);
                // Lion's step is a sign, which a rounding can turn where a gradient is near 0.
                assertEquals(0, Tiny.distance(values.get(i), values(models.get(i))), i == 2 ? 3e-2 : 1e-3);
            }
            models.forEach(PeftModel::close);
        }
    }

    private static float[] values(PeftModel model) {
        float[] all = new float[0];
        for (Parameter parameter : model.trainableParameters()) {
            float[] own = Arrays.toFloats(parameter.value());
            int before = all.length;
            all = java.util.Arrays.copyOf(all, before + own.length);
            System.arraycopy(own, 0, all, before, own.length);
        }
        return all;
    }

    /** Losses within 1e-4: sums of f32 in another order, and updates that divide by the size of gradients. */
    private static void assertSame(TrainingResult alone, TrainingResult together) {
        assertEquals(alone.steps().size(), together.steps().size());
        for (int i = 0; i < alone.steps().size(); i++) {
            StepMetrics a = alone.steps().get(i);
            StepMetrics b = together.steps().get(i);
            assertEquals(a.trainLoss(), b.trainLoss(), 1e-4 * a.trainLoss());
            assertEquals(a.gradNorm(), b.gradNorm(), 1e-3 * a.gradNorm());
            assertEquals(a.learningRate(), b.learningRate());
            assertEquals(a.tokens(), b.tokens());
            assertEquals(a.epoch(), b.epoch());
        }
        assertEquals(alone.evaluations().size(), together.evaluations().size());
        for (int i = 0; i < alone.evaluations().size(); i++) {
            assertEquals(alone.evaluations().get(i).step(), together.evaluations().get(i).step());
            assertEquals(alone.evaluations().get(i).loss(), together.evaluations().get(i).loss(),
                    1e-4 * alone.evaluations().get(i).loss());
        }
        assertEquals(alone.ending(), together.ending());
        assertEquals(alone.bestStep(), together.bestStep());
    }

    @Test
    void oneThatFailsOrIsStoppedLeavesTheOthersAlone() throws IOException {
        KernelProvider naive = Tiny.kernels().get(0);
        try (TinyModel base = base(naive)) {
            List<PeftModel> models = List.of(model(base, lora(2).build()), model(base, lora(2).build()),
                    model(base, lora(2).build()), model(base, lora(2).build()));
            Cancellation cancellation = new Cancellation();
            Trial plain = new Trial(lora(2).build(), b -> b.epochs(2).batchSize(3));
            TrainingResult expected = trainer(models.get(3), plain, folder.resolve("expected")).train(EXAMPLES);
            List<SideBySideTrainer.Outcome> outcomes = SideBySideTrainer.of(List.of(
                    trainer(models.get(0), plain, folder.resolve("a")),
                    trainer(models.get(1), new Trial(plain.config(), b -> Runs.after(2, () -> Arrays.write(
                            models.get(1).trainableParameters().get(0).value(), 0, new float[] {Float.NaN}, 0, 1))
                            .apply(plain.options().apply(b))), folder.resolve("b")),
                    trainer(models.get(2), new Trial(plain.config(), b -> Runs.after(3, cancellation::cancel)
                            .apply(plain.options().apply(b.cancellation(cancellation)))), folder.resolve("c"))))
                    .train(EXAMPLES);
            assertSame(expected, outcomes.get(0).result().orElseThrow());
            assertTrue(outcomes.get(1).failure().orElseThrow().getMessage().startsWith("update 3 gave the loss NaN"));
            assertEquals(TrainingResult.Ending.CANCELLED, outcomes.get(2).result().orElseThrow().ending());
            assertEquals(3, outcomes.get(2).result().orElseThrow().steps().size());
            assertSame(expected, SideBySideTrainer.of(List.of(trainer(models.get(2), new Trial(plain.config(),
                    b -> plain.options().apply(b.start(RunStart.RESUME))), folder.resolve("c")))).train(EXAMPLES)
                    .get(0).result().map(rest -> joined(outcomes.get(2).result().orElseThrow(), rest)).orElseThrow());
            models.forEach(PeftModel::close);
        }
    }

    private static TrainingResult joined(TrainingResult first, TrainingResult rest) {
        List<StepMetrics> steps = new ArrayList<>(first.steps());
        steps.addAll(rest.steps());
        return new TrainingResult(rest.plan(), steps, rest.evaluations(), rest.ending(), rest.bestStep(),
                rest.seconds(), rest.output(), rest.learned(), rest.profile());
    }

    @Test
    void whatCannotShareAPassIsRefusedWithItsReason() {
        try (TinyModel base = base(Tiny.kernels().get(0));
                PeftModel plain = model(base, lora(2).build());
                PeftModel dropout = model(base, lora(2).dropout(0.1).build());
                Tiny other = new Tiny(0,
                        new NaiveKernels())) {
            assertMessage("no training given", () -> SideBySideTrainer.of(List.of()));
            assertMessage("training 2 of 2 cannot run side by side with the others: its adapter has dropout",
                    () -> SideBySideTrainer
                            .of(List.of(Trainer.builder(plain).build(), Trainer.builder(dropout).build())));
            assertMessage("training 2 of 2 cannot run side by side with the others: it is on another base",
                    () -> SideBySideTrainer.of(List.of(Trainer.builder(plain).build(), other.trainer().build())));
            assertMessage("training 1 of 1 cannot run side by side with the others: it has noise",
                    () -> SideBySideTrainer.of(List.of(Trainer.builder(plain).neftuneAlpha(5).build())));
            assertMessage("each training needs a PeftModel of its own",
                    () -> SideBySideTrainer
                            .of(List.of(Trainer.builder(plain).build(), Trainer.builder(plain).build())));
        }
    }
}
