package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.LogLines;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.lora.LoraPlus;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.optimizer.Lion;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a training takes for the numbers that are not given. */
class AutomaticOptionsTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(200, 1);

    @TempDir
    private Path folder;

    /** The settings of a training of two updates. */
    private static Map<String, String> settings(UnaryOperator<TrainerBuilder> options) {
        try (Tiny tiny = new Tiny()) {
            return options.apply(Trainer.builder(tiny.model).maxSteps(2)).build().train(EXAMPLES).plan().settings();
        }
    }

    @Test
    void rulesChooseAndTheBeginningSaysWhatAndWhy() {
        try (Tiny tiny = new Tiny()) {
            List<String> log = LogLines.of(() -> {
                TrainingPlan plan = Trainer.builder(tiny.model).maxSteps(40).build().train(EXAMPLES).plan();
                assertEquals("24", plan.settings().get("epochs"));
                assertEquals("0.8", plan.settings().get("learned_share"));
                assertEquals("8", plan.settings().get("batch_size"));
                assertEquals("0.005", plan.settings().get("learning_rate"));
                assertEquals("2", plan.settings().get("warmup_steps"));
                assertTrue(plan.chosen().matches("batch size 8 \\(200 rows: .*\\), epochs at most 24 \\("
                        + "until 80 % of the rows .*\\), learning rate 0\\.005 \\(hidden size .*\\), warmup steps 2 "
                        + "\\(a twentieth of the 40 .*\\)"), plan.chosen());
            });
            assertEquals(1, log.stream().filter(line -> line.contains("auto: batch size 8 (200 rows")).count(),
                    log.toString());
        }
    }

    @Test
    void whatIsGivenIsTakenAsItIs() {
        Map<String, String> settings = settings(b -> b.epochs(3).learningRate(2e-4));
        assertEquals("3", settings.get("epochs"));
        assertEquals("2.0E-4", settings.get("learning_rate"));
        assertEquals("0", settings.get("warmup_steps"), "a warm-up is part of an automatic rate");
        assertEquals("7", settings(b -> b.warmupSteps(7)).get("warmup_steps"));
        assertEquals("3", settings(b -> b.gradientAccumulation(3)).get("gradient_accumulation"));
        try (Tiny tiny = new Tiny()) {
            assertEquals("", tiny.trainer().build().train(EXAMPLES).plan().chosen());
            assertEquals("auto", Trainer.builder(tiny.model).epochs(3).build().settings().get("learning_rate"));
        }
    }

    @Test
    void theRateFollowsMethodObjectiveOptimizerAndRule() {
        double usual = rate(UnaryOperator.identity());
        assertEquals(0.2 * usual, rate(b -> b.optimizer(Lion.DEFAULT)), 1e-9);
        assertEquals(0.25 * usual, rate(b -> b.updateRule(new LoraPlus(16))), 1e-4);
        assertEquals(usual, rate(b -> b.updateRule(UpdateRule.PLAIN)));
        try (Tiny tiny = new Tiny()) {
            List<PreferenceExample> pairs = PreferenceTrainingTest.pairs(40, 3);
            TrainingPlan plan = Trainer.builder(tiny.model).maxSteps(2).build()
                    .train(new DpoObjective(tiny.model), pairs).plan();
            // Rates have two digits.
            assertEquals(0.025 * usual, Double.parseDouble(plan.settings().get("learning_rate")), 6e-6);
            assertEquals("3", plan.settings().get("epochs"), "a quarter of the 12 for as many answers");
            assertTrue(plan.chosen().contains("dpo needs fewer passes than the 12"), plan.chosen());
        }
        try (Tiny upper = Tiny.onLayer(1, 0, new NaiveKernels())) {
            assertTrue(Trainer.builder(upper.model).maxSteps(2).build().train(EXAMPLES).plan().chosen()
                    .contains("layers have to change more"));
        }
    }

    private static double rate(UnaryOperator<TrainerBuilder> options) {
        return Double.parseDouble(settings(options).get("learning_rate"));
    }

    @Test
    void aResumedTrainingKeepsWhatWasChosen() {
        List<TokenSequence> few = EXAMPLES.subList(0, 12);
        TrainingResult whole = auto(few, b -> b);
        assertEquals("36", whole.plan().settings().get("epochs"));
        Path output = folder.resolve("run");
        auto(few, b -> Runs.cancellingAfter(5).apply(b.output(output)));
        TrainingResult resumed = auto(few, b -> b.output(output).start(RunStart.RESUME));
        assertEquals(whole.plan().settings(), resumed.plan().settings());
        assertTrue(resumed.plan().chosen().startsWith("as the training began: epochs 36, batch size 4"),
                resumed.plan().chosen());
        assertEquals(whole.finalTrainLoss(), resumed.finalTrainLoss());
    }

    @Test
    void aTrainingThatBeganWithOtherNumbersGoesOnWithThem() {
        List<TokenSequence> few = EXAMPLES.subList(0, 12);
        Path output = folder.resolve("run");
        UnaryOperator<TrainerBuilder> five = b -> b.epochs(5).batchSize(3).learningRate(1e-3).output(output);
        auto(few, b -> Runs.cancellingAfter(5).apply(five.apply(b)));
        assertThrows(ConfigurationException.class, () -> auto(few, b -> b.epochs(6).output(output)
                .start(RunStart.RESUME)), "what is given must be the same");
        TrainingResult resumed = auto(few, b -> b.output(output).start(RunStart.RESUME));
        assertEquals("5", resumed.plan().settings().get("epochs"));
        assertEquals(20, resumed.plan().totalSteps());
    }

    private static TrainingResult auto(List<TokenSequence> examples, UnaryOperator<TrainerBuilder> options) {
        try (Tiny tiny = new Tiny()) {
            return options.apply(Trainer.builder(tiny.model)).build().train(examples);
        }
    }

    @Test
    void anEstimateChoosesTheSameAndWarnsOfNothing() {
        try (Tiny tiny = Tiny.onLayer(1, 0, new NaiveKernels())) {
            float[] before = tiny.values();
            List<TokenSequence> some = EXAMPLES.subList(0, 40);
            Trainer trainer = Trainer.builder(tiny.model).build();
            List<String> log = LogLines.of(() -> {
                TrainingEstimate estimate = trainer.estimate(some);
                assertEquals(360, estimate.updates());
                assertEquals(72, estimate.fewestUpdates(), "a fifth of the most");
                assertTrue(estimate.chosen().startsWith("batch size 4 (40 rows"), estimate.chosen());
            });
            assertTrue(log.stream().noneMatch(line -> line.contains("warm-up")), log.toString());
            assertArrayEquals(before, tiny.values());
            assertEquals(360, trainer.train(some).plan().totalSteps());
        }
    }
}
