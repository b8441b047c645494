package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.train.TrainingResult.Ending;
import io.peft4j.train.TrainingResult.Evaluation;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a training measures and ends, and which adapter it leaves. */
class TrainingEndTest {
    private static final int BATCH = 4;

    @TempDir
    private Path folder;

    private static TrainerBuilder builder(Tiny tiny) {
        // A rate at which the tiny model soon knows its examples by heart, and forgets those it is measured on.
        return tiny.trainer().batchSize(BATCH).learningRate(0.05).epochs(40)
                .schedule(LearningRateSchedule.CONSTANT).validation(Tiny.examples(6, 9));
    }

    private static boolean isOutOfPatience(TrainingOptions options, double... losses) {
        try (Validation validation = new Validation(Optional.empty(), options, List.of())) {
            for (int i = 0; i < losses.length; i++) {
                validation.add(new Evaluation(i, i, losses[i]));
            }
            return validation.isOutOfPatience();
        }
    }

    @Test
    void patienceEndsAfterSoManyMeasurementsThatAreNotBetter() {
        TrainingOptions patient = TrainingOptions.builder().earlyStopping(2, 0.1).keepBest(false).build();
        assertFalse(isOutOfPatience(patient));
        assertFalse(isOutOfPatience(patient, 3, 2, 2.5));
        assertTrue(isOutOfPatience(patient, 3, 2, 2.5, 1.95));
        assertFalse(isOutOfPatience(patient, 3, 2, 2.5, 1.89));
        assertFalse(isOutOfPatience(TrainingOptions.defaults(), 3, 4, 5, 6));
    }

    @Test
    void stepsDecideInsteadOfEpochs() {
        for (long steps : new long[] {2, 3, 11}) {
            try (Tiny tiny = new Tiny()) {
                TrainingResult result = tiny.trainer().batchSize(BATCH).epochs(2).maxSteps(steps)
                        .schedule(LearningRateSchedule.LINEAR).build().train(Tiny.examples(12, 1));
                assertEquals(steps, result.steps().size());
                assertEquals(Ending.COMPLETE, result.ending());
                assertEquals(steps / 3.0, result.steps().get((int) steps - 1).epoch(), 1e-12);
                assertEquals(2e-4 / steps, result.steps().get((int) steps - 1).learningRate(), 1e-12);
            }
        }
    }

    @Test
    void measurementsComeEverySoManySteps() {
        try (Tiny tiny = new Tiny()) {
            TrainingResult result = builder(tiny).epochs(2).evaluateEverySteps(2).maxSteps(5).build()
                    .train(Tiny.examples(12, 1));
            assertEquals(List.of(0L, 2L, 4L, 5L), result.evaluations().stream().map(Evaluation::step).toList());
        }
    }

    /** What is left is what a training that ends at the best measurement leaves. */
    @Test
    void earlyStoppingLeavesTheBestAdapter() {
        long best;
        float[] left;
        try (Tiny tiny = new Tiny()) {
            TrainingResult result = builder(tiny).earlyStopping(3, 0).build().train(Tiny.examples(12, 1));
            left = tiny.values();
            assertEquals(Ending.STOPPED_EARLY, result.ending());
            best = BestValues.best(result.evaluations()).step();
            assertEquals(OptionalLong.of(best), result.bestStep());
            assertEquals(best + 9, result.steps().size());
            assertTrue(best > 0 && result.toString().contains("best after step " + best), result.toString());
        }
        try (Tiny tiny = new Tiny()) {
            builder(tiny).maxSteps(best).build().train(Tiny.examples(12, 1));
            assertArrayEquals(tiny.values(), left);
        }
    }

    @Test
    void earlyStoppingAndTheBestAdapterSurviveACrash() throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        TrainingResult expected = run(whole, b -> b);
        for (long step : new long[] {2, expected.steps().size() - 2, expected.steps().size()}) {
            assertThrows(Runs.Crash.class, () -> run(crashed, Runs.crashingAfter(step)));
        }
        TrainingResult result = run(crashed, b -> b);
        assertEquals(expected.ending(), result.ending());
        assertEquals(expected.bestStep(), result.bestStep());
        assertArrayEquals(Runs.weights(whole), Runs.weights(crashed));
    }

    private static TrainingResult run(Path output, UnaryOperator<TrainerBuilder> more) {
        try (Tiny tiny = new Tiny()) {
            return more.apply(builder(tiny).earlyStopping(3, 0).output(output).checkpointEverySteps(1)
                    .start(RunStart.RESUME_OR_START)).build().train(Tiny.examples(12, 1));
        }
    }

    @Test
    void aTrainingThatIsOutOfTimeIsSavedAndCanGoOn() throws IOException {
        Path whole = folder.resolve("whole");
        Path inParts = folder.resolve("parts");
        UnaryOperator<TrainerBuilder> shorter = b -> b.epochs(2);
        try (Tiny tiny = new Tiny()) {
            shorter.apply(builder(tiny)).output(whole).build().train(Tiny.examples(12, 1));
        }
        for (RunStart start : List.of(RunStart.NEW, RunStart.RESUME)) {
            try (Tiny tiny = new Tiny()) {
                TrainingResult result = shorter.apply(builder(tiny)).output(inParts).start(start)
                        .timeBudget(Duration.ofNanos(1)).build().train(Tiny.examples(12, 1));
                assertEquals(Ending.OUT_OF_TIME, result.ending());
                // A training that is resumed makes no update when its time is over from the start.
                assertEquals(start == RunStart.NEW ? 1 : 0, result.steps().size());
            }
        }
        try (Tiny tiny = new Tiny()) {
            assertEquals(Ending.COMPLETE, shorter.apply(builder(tiny)).output(inParts).start(RunStart.RESUME).build()
                    .train(Tiny.examples(12, 1)).ending());
        }
        assertArrayEquals(Runs.weights(whole), Runs.weights(inParts));
    }

    @Test
    void whatCannotBeMeantIsRefused() {
        try (Tiny tiny = new Tiny()) {
            for (UnaryOperator<TrainerBuilder> options : List.<UnaryOperator<TrainerBuilder>>of(
                    b -> b.earlyStopping(2, 0), b -> b.keepBest(true), b -> b.evaluateEverySteps(3))) {
                assertTrue(assertThrows(ConfigurationException.class, () -> options.apply(tiny.trainer())
                        .build().train(Tiny.examples(12, 1))).getMessage().contains("need validation data"));
            }
            assertThrows(ConfigurationException.class, () -> tiny.trainer().maxSteps(-1).build());
            assertThrows(ConfigurationException.class, () -> tiny.trainer().timeBudget(Duration.ZERO).build());
            assertThrows(ConfigurationException.class, () -> tiny.trainer().earlyStopping(0, 0.1).build());
        }
    }
}
