package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.lora.AdaLoraConfig;
import io.peft4j.train.Runs.Crash;
import io.peft4j.train.parallel.WorkerCollective;
import io.peft4j.train.parallel.WorkerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Trainings of several workers: what they learn is what one would, and none waits for one that is gone. */
class SharedTrainingTest {
    @TempDir
    private Path folder;

    /** How a training ended, and the values that it left. */
    private record Trained(TrainingResult result, float[] values) {
    }

    private Trained train(WorkerCollective workers, String name, Supplier<Tiny> model,
            UnaryOperator<TrainerBuilder> more) {
        try (Tiny tiny = model.get()) {
            TrainerBuilder builder = Runs.builder(tiny, folder.resolve(name)).workers(workers);
            TrainingResult result = more.apply(builder).build().train(Runs.EXAMPLES);
            return new Trained(result, tiny.values());
        }
    }

    private List<Trained> together(int count, String name, Supplier<Tiny> model, UnaryOperator<TrainerBuilder> more) {
        List<Team.Outcome<Trained>> outcomes = Team.run(count, workers -> train(workers, name, model, more));
        for (Team.Outcome<Trained> outcome : outcomes) {
            assertEquals(null, outcome.failure());
        }
        return outcomes.stream().map(Team.Outcome::value).toList();
    }

    private static void assertSame(Trained one, Trained other, double ofLosses, double ofValues) {
        assertEquals(one.result().steps().size(), other.result().steps().size());
        for (int i = 0; i < one.result().steps().size(); i++) {
            StepMetrics expected = one.result().steps().get(i);
            StepMetrics found = other.result().steps().get(i);
            assertEquals(expected.trainLoss(), found.trainLoss(), ofLosses);
            assertEquals(expected.gradNorm(), found.gradNorm(), 10 * ofLosses);
            assertEquals(expected.tokens(), found.tokens());
        }
        for (int i = 0; i < one.result().evaluations().size(); i++) {
            assertEquals(one.result().evaluations().get(i).loss(), other.result().evaluations().get(i).loss(),
                    ofLosses);
        }
        assertArrayEquals(one.values(), other.values(), (float) ofValues);
    }

    @ParameterizedTest
    @CsvSource({"1, 2", "1, 4", "2, 2", "3, 2"})
    void aTrainingEqualsThatOfOneWorkerWhateverTheirNumber(int accumulation, int count) {
        UnaryOperator<TrainerBuilder> options = b -> b.batchSize(4).gradientAccumulation(accumulation);
        Trained alone = train(WorkerCollective.one(), "alone", Tiny::new, options);
        List<Trained> all = together(count, "together", Tiny::new, options);

        assertSame(alone, all.get(0), 1e-5, 1e-4);
        for (Trained other : all) {
            assertArrayEquals(all.get(0).values(), other.values(), 0);
            assertEquals(all.get(0).result().evaluations(), other.result().evaluations());
        }
    }

    @Test
    void theSameSeedAndNumberOfWorkersGiveTheSameBits() {
        UnaryOperator<TrainerBuilder> options = b -> b.batchSize(4).gradientAccumulation(1);
        Supplier<Tiny> model = () -> new Tiny(0.3, new NaiveKernels());

        float[] once = together(3, "once", model, options).get(0).values();

        assertArrayEquals(once, together(3, "again", model, options).get(1).values(), 0);
    }

    @Test
    void dropoutIsThatOfOneWorkerWhereEachTakesWholeBatches() {
        Supplier<Tiny> model = () -> new Tiny(0.3, new NaiveKernels());
        Trained alone = train(WorkerCollective.one(), "alone", model, b -> b.neftuneAlpha(5));

        assertSame(alone, together(2, "two", model, b -> b.neftuneAlpha(5)).get(0), 1e-5, 1e-4);
    }

    @Test
    void whatAMethodAddsToTheGradientsIsAddedOnce() {
        Trained alone = train(WorkerCollective.one(), "alone", SharedTrainingTest::adaLora, b -> b);

        assertSame(alone, together(2, "two", SharedTrainingTest::adaLora, b -> b).get(0), 1e-5, 1e-4);
    }

    private static Tiny adaLora() {
        return new Tiny(new TinyNetwork(5, false, true), new NaiveKernels(),
                AdaLoraConfig.builder().initialRank(4).targetRank(2).warmup(2).finish(3).interval(2)
                        .orthogonality(0.5).totalSteps(9).targetModules(TargetModules.ALL_LINEAR).build(),
                6);
    }

    @ParameterizedTest
    @EnumSource
    void objectivesWithReferencesAreDividedToo(PreferenceTrainingTest.Kind kind) {
        List<Team.Outcome<Trained>> outcomes = new ArrayList<>();
        for (int count = 1; count <= 2; count++) {
            int all = count;
            outcomes.add(Team.<Trained>run(count, workers -> {
                try (Tiny tiny = new Tiny()) {
                    TrainingResult result = kind.train(tiny.model, Runs.builder(tiny, folder.resolve(kind + "-" + all))
                            .validation(List.of()).workers(workers));
                    return new Trained(result, tiny.values());
                }
            }).get(0));
        }
        assertSame(outcomes.get(0).value(), outcomes.get(1).value(), 1e-5, 1e-4);
        assertEquals(outcomes.get(0).value().result().steps().get(3).measures().keySet(),
                outcomes.get(1).value().result().steps().get(3).measures().keySet());
    }

    @Test
    void objectivesOverABatchAreRefusedIfWorkersWouldBeIdle() {
        Throwable failure = Team.<TrainingResult>run(2, workers -> {
            try (Tiny tiny = new Tiny()) {
                return PreferenceTrainingTest.Kind.KTO.train(tiny.model, tiny.trainer().workers(workers));
            }
        }).get(1).failure();

        assertInstanceOf(ConfigurationException.class, failure);
        assertTrue(failure.getMessage().startsWith("the objective 'kto' compares the examples of a batch")
                && failure.getMessage().endsWith("set the gradient accumulation to 2 or a multiple of it"),
                failure.getMessage());
    }

    @Test
    void onlyTheFirstWorkerWritesAndAllGoOnFromItsCheckpoint() throws IOException {
        Trained alone = train(WorkerCollective.one(), "alone", Tiny::new, b -> b);
        List<Team.Outcome<Trained>> crashed = Team.run(2, workers -> train(workers, "run", Tiny::new,
                b -> Runs.crashingAfter(5).apply(b.checkpointEverySteps(2))));
        assertInstanceOf(Crash.class, crashed.get(0).failure());
        assertInstanceOf(WorkerException.class, crashed.get(1).failure());
        assertTrue(crashed.get(1).failure().getMessage().startsWith("worker 0 (localhost:"),
                crashed.get(1).failure().getMessage());

        List<Trained> resumed = together(2, "run", Tiny::new, b -> b.start(RunStart.RESUME_OR_START));

        assertEquals(4, resumed.get(1).result().plan().doneSteps());
        assertArrayEquals(alone.values(), resumed.get(1).values(), 1e-4f);
        assertArrayEquals(resumed.get(0).values(), resumed.get(1).values(), 0);
        assertEquals(alone.result().evaluations().size(), resumed.get(1).result().evaluations().size());
        assertTrue(Files.exists(folder.resolve("run/adapter_model.safetensors")));
        assertEquals(Runs.metrics(folder.resolve("alone")).size(), Runs.metrics(folder.resolve("run")).size());
        assertTrue(resumed.get(1).result().output().isEmpty());
    }

    @Test
    void localStepsLearnAsWellAndGoOnFromACheckpoint() {
        UnaryOperator<TrainerBuilder> options = b -> b.batchSize(4).gradientAccumulation(1).epochs(6)
                .checkpointEverySteps(3);
        Trained alone = train(WorkerCollective.one(), "alone", Tiny::new, options);
        List<Trained> apart = local(3, "apart", options);
        List<Team.Outcome<Trained>> crashed = Team.run(2, group -> group.withLocalSteps(3),
                workers -> train(workers, "resumed", Tiny::new, b -> Runs.crashingAfter(8).apply(options.apply(b))));
        List<Trained> resumed = local(3, "resumed", b -> options.apply(b).start(RunStart.RESUME));

        assertInstanceOf(Crash.class, crashed.get(0).failure());
        assertArrayEquals(apart.get(0).values(), apart.get(1).values(), 0);
        assertArrayEquals(apart.get(0).values(), resumed.get(1).values(), 0);
        assertTrue(fallen(alone) > 0.1 && fallen(apart.get(1)) > 0.7 * fallen(alone),
                fallen(alone) + " " + fallen(apart.get(1)));
        assertTrue(Tiny.distance(alone.values(), apart.get(0).values()) > 1e-3, "updates are local");
    }

    /** From the first epoch to the last. */
    private static double fallen(Trained trained) {
        List<StepMetrics> steps = trained.result().steps();
        int epoch = trained.result().plan().stepsPerEpoch();
        return mean(steps.subList(0, epoch)) - mean(steps.subList(steps.size() - epoch, steps.size()));
    }

    private static double mean(List<StepMetrics> steps) {
        return steps.stream().mapToDouble(StepMetrics::trainLoss).average().orElseThrow();
    }

    private List<Trained> local(int steps, String name, UnaryOperator<TrainerBuilder> more) {
        return Team
                .<Trained>run(2, group -> group.withLocalSteps(steps), workers -> train(workers, name, Tiny::new, more))
                .stream().map(Team.Outcome::value).toList();
    }

    @Test
    void localStepsAreRefusedWhereNoMeanCanBeTaken() {
        Throwable failure = Team.<Trained>run(2, group -> group.withLocalSteps(2),
                workers -> train(workers, "run", SharedTrainingTest::adaLora, b -> b)).get(1).failure();
        assertTrue(failure.getMessage().startsWith("local steps take the mean"), failure.getMessage());
    }

    @Test
    void whoeverIsCancelledStopsAll() {
        List<Team.Outcome<Trained>> stopped = Team.run(3, workers -> {
            Cancellation cancellation = new Cancellation();
            if (workers.rank() == 2) {
                cancellation.cancel();
            }
            return train(workers, "stopped", Tiny::new, b -> b.batchSize(4).cancellation(cancellation));
        });

        stopped.forEach(one -> assertTrue(one.value().result().cancelled()));
    }

    @Test
    void earlyStoppingAndTimeEndAllAtTheSameUpdate() {
        List<Trained> early = together(2, "early", Tiny::new, b -> b.evaluateEverySteps(1).earlyStopping(1, 10));
        List<Trained> late = together(2, "late", Tiny::new, b -> b.timeBudget(Duration.ofNanos(1)));

        for (int i = 0; i < 2; i++) {
            assertEquals(TrainingResult.Ending.STOPPED_EARLY, early.get(i).result().ending());
            assertEquals(1, early.get(i).result().steps().size());
            assertEquals(TrainingResult.Ending.OUT_OF_TIME, late.get(i).result().ending());
            assertEquals(1, late.get(i).result().steps().size());
        }
    }

    @Test
    void workersThatTrainSomethingElseAreRefusedWithAllThatDiffers() {
        List<Team.Outcome<Trained>> outcomes = Team.run(2, workers -> train(workers, "run", () -> {
            Tiny tiny = new Tiny();
            Arrays.write(tiny.model.trainableParameters().get(0).value(), 0, new float[] {workers.rank()}, 0, 1);
            return tiny;
        }, b -> b.learningRate(0.01 * (1 + workers.rank()))));

        for (Team.Outcome<Trained> outcome : outcomes) {
            String message = assertInstanceOf(ConfigurationException.class, outcome.failure(),
                    outcome.failure()::getMessage).getMessage();
            assertTrue(message.startsWith("worker 1 (") && message.contains("learning_rate is 0.02, for the first "
                    + "worker 0.01; values of the adapter 'default' is"), message);
        }
    }

    @Test
    void aWorkerThatFailsIsNamedToTheOthersWithItsReason() {
        List<Team.Outcome<Trained>> outcomes = Team.run(3, workers -> {
            if (workers.rank() == 1) {
                workers.fail("out of memory");
                throw new Crash();
            }
            return train(workers, "run", Tiny::new, b -> b);
        });

        for (int rank : new int[] {0, 2}) {
            assertTrue(outcomes.get(rank).failure().getMessage().matches(
                    "(worker \\d \\(localhost:\\d+\\) gave up: )*worker 1 \\(localhost:\\d+\\) gave up: out of memory"),
                    outcomes.get(rank).failure().getMessage());
        }
    }

    @Test
    void aSlowWorkerIsNamedOnce() {
        List<String> warnings = new ArrayList<>();
        Team.run(2, workers -> {
            if (workers.rank() == 0) {
                SlowWorkers slow = new SlowWorkers(workers, warnings::add);
                for (int i = 0; i < 2 * SlowWorkers.UPDATES; i++) {
                    slow.add(new double[] {1, i == 2 ? 1 : 2.5});
                }
            }
            return null;
        });

        assertEquals(1, warnings.size());
        assertTrue(warnings.get(0).matches("worker 1 \\(localhost:\\d+\\) takes 2.50 s for its part of an update, the "
                + "others 1.00 s, .*"), warnings.get(0));
    }

    @Test
    void aBatchThatIsTooSmallForTheWorkersIsRefused() {
        assertThrows(ConfigurationException.class, () -> {
            Throwable failure = Team.run(3, workers -> train(workers, "run", Tiny::new, b -> b)).get(2).failure();
            throw (RuntimeException) failure;
        });
    }
}
