package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.NaiveKernels;
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
import java.util.function.DoubleUnaryOperator;
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
            TrainerBuilder builder = tiny.trainer().batchSize(5).epochs(3).learningRate(0.01);
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
            Trainer trainer = tiny.trainer().batchSize(4).epochs(3).learningRate(0.01).weightDecay(0.1)
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
            TrainingEstimate estimate = tiny.trainer().batchSize(3).epochs(50).maxSteps(100).build()
                    .estimate(EXAMPLES);
            assertEquals(100, estimate.updates());
            assertTrue(estimate.tokens() > 24 * EXAMPLES.stream().mapToLong(TokenSequence::length).sum());
        }
    }

    @Test
    void whileTheJvmStartsTheRestIsForeseenAlongItsCurve() {
        Timing timing = new Timing(1);
        timing.add(List.of(50L), List.of(0.9), 1);
        add(timing, 400, 50, time -> 2e-4 + 1e-3 / time);
        assertFalse(timing.isSteady());
        Timing whole = new Timing(1);
        whole.add(List.of(50L), List.of(0.9), 1);
        add(whole, 4000, 50, at -> 2e-4 + 1e-3 / at);
        assertTrue(timing.seconds() < whole.seconds() / 4, timing.seconds() + " of " + whole.seconds());
        assertEquals(whole.seconds(), timing.ahead(whole.tokens()), 0.01 * whole.seconds());
    }

    @Test
    void steadyPassesTakeAsLongAsTheLastOnes() {
        Timing timing = new Timing(1);
        timing.add(List.of(50L), List.of(1.5), 2);
        add(timing, 100, 50, time -> 4e-4);
        assertTrue(timing.isSteady());
        assertEquals(2 + 1000 * 50 * 4e-4, timing.ahead(50 + 1000 * 50), 1e-6);
        assertEquals(4e-4, timing.steadySecondsPerToken(), 1e-9);
    }

    @Test
    void aFewPassesTellTheSpeedOfTheirLaterHalf() {
        Timing timing = new Timing(1);
        timing.add(List.of(10L), List.of(4.0), 4);
        timing.add(List.of(10L), List.of(2.0), 2);
        timing.add(List.of(10L), List.of(1.0), 1);
        timing.add(List.of(20L), List.of(2.0), 2);
        assertFalse(timing.isSteady());
        assertEquals(9 + 3.0 / 30 * 50, timing.ahead(100), 1e-9);
    }

    /** Updates of 2 passes are timed where there will be 8: the rest of an update comes once for these 8. */
    @Test
    void theOptimizerIsCountedOnceAnUpdate() {
        Timing timing = new Timing(4);
        for (int update = 0; update < 4; update++) {
            timing.add(List.of(10L, 10L), List.of(1.0, 1.0), 2.8);
        }
        assertEquals(4, timing.updates());
        assertEquals(8 * (1 + 0.1), timing.seconds(), 1e-9);
        assertEquals(3 * (8 + 0.8), timing.ahead(3 * 8 * 10), 1e-9);
    }

    /** Updates whose time follows from when they begin. */
    private static void add(Timing timing, int updates, long tokens, DoubleUnaryOperator secondsPerToken) {
        for (int i = 0; i < updates; i++) {
            double seconds = tokens * secondsPerToken.applyAsDouble(timing.seconds());
            timing.add(List.of(tokens), List.of(0.8 * seconds), seconds);
        }
    }

    @Test
    void costsFollowFromPrices() {
        Prices prices = new Prices(OptionalDouble.of(0.36), OptionalDouble.of(3));
        assertEquals(0.001, prices.ofMachine(10).getAsDouble(), 1e-12);
        assertEquals(0.003, prices.ofService(1000).getAsDouble(), 1e-12);
        assertTrue(Prices.UNKNOWN.ofMachine(10).isEmpty());
    }
}
