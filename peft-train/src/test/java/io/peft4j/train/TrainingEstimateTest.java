package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.internal.NaiveKernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.lora.AdaLoraConfig;
import io.peft4j.train.plan.Prices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an estimate says exactly, and that it leaves no trace. */
class TrainingEstimateTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(12, 1);

    @TempDir
    Path folder;

    @Test
    void countsAndSizesAreThoseOfTheTraining() throws IOException {
        try (Tiny tiny = new Tiny()) {
            TrainerBuilder builder = Trainer.builder(tiny.model).batchSize(5).epochs(3).learningRate(0.01);
            TrainingEstimate estimate = builder.build().estimate(EXAMPLES);
            TrainingResult result = builder.output(folder.resolve("adapter")).build().train(EXAMPLES);
            assertEquals(result.plan().trainableParameters(), estimate.trainableParameters());
            assertEquals(result.plan().totalSteps(), estimate.updates());
            assertEquals(result.steps().stream().mapToLong(StepMetrics::tokens).sum(), estimate.tokens());
            assertEquals(Files.size(folder.resolve("adapter/adapter_model.safetensors")), estimate.adapterBytes());
            assertTrue(estimate.seconds() > 0);
        }
    }

    @Test
    void nothingIsLearnedByAnEstimate() {
        float[] plain = trained(false, new Tiny());
        assertArrayEquals(plain, trained(true, new Tiny()));
    }

    @Test
    void methodsThatCutRanksAreLeftAsTheyWere() {
        assertArrayEquals(trained(false, adaLora()), trained(true, adaLora()));
    }

    private static Tiny adaLora() {
        return new Tiny(new TinyNetwork(5, false, true), new NaiveKernels(), AdaLoraConfig.builder().initialRank(4)
                .targetRank(2).warmup(1).finish(1).interval(1)
                        .targetModules(TargetModules.of("q_proj", "v_proj")).build(), 3);
    }

    /** Trains once, after an estimate or not, and gives all values. */
    private static float[] trained(boolean estimated, Tiny tiny) {
        try (tiny) {
            Trainer trainer = Trainer.builder(tiny.model).batchSize(4).epochs(3).learningRate(0.01).weightDecay(0.1)
                    .validation(EXAMPLES.subList(0, 3)).build();
            if (estimated) {
                float[] before = tiny.values();
                trainer.estimate(EXAMPLES);
                assertArrayEquals(before, tiny.values());
            }
            trainer.train(EXAMPLES);
            return tiny.values();
        }
    }

    @Test
    void frozenLayersAreForeseen() {
        try (Tiny tiny = Tiny.onLayer(1, 0, new NaiveKernels())) {
            TrainingEstimate estimate = Trainer.builder(tiny.model).batchSize(3).epochs(50).maxSteps(100).build()
                    .estimate(EXAMPLES);
            assertEquals(100, estimate.updates());
            assertTrue(estimate.tokens() > 24 * EXAMPLES.stream().mapToLong(TokenSequence::length).sum());
        }
    }

    /** The later half of the time decides; what is measured counts as it is. */
    @Test
    void theRestIsForeseenAtTheLaterSpeed() {
        Timing timing = new Timing(1e9, 1, true, new Cancellation(), List.of());
        timing.onStart(new TrainingPlan(10, 0, 100, 100, 10, 10, 0, 1, java.util.Map.of()));
        SplittableRandom random = new SplittableRandom(1);
        for (int step = 1; step <= 10; step++) {
            timing.onStep(new StepMetrics(step, step, 1, 1, 1, 10, 10, random.nextDouble(), 0));
        }
        assertEquals(timing.seconds(), timing.ahead(100));
        assertEquals(100, timing.tokens());
    }

    @Test
    void costsFollowFromPrices() {
        Prices prices = new Prices(OptionalDouble.of(0.36), OptionalDouble.of(3));
        assertEquals(0.001, prices.ofMachine(10).getAsDouble(), 1e-12);
        assertEquals(0.003, prices.ofService(1000).getAsDouble(), 1e-12);
        assertTrue(Prices.UNKNOWN.ofMachine(10).isEmpty());
    }
}
