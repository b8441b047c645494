package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.runs.RunInfo.LearnedRows;
import io.peft4j.train.runs.RunInfo.LearnedRows.Reason;
import io.peft4j.train.runs.TrainingRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A training that ends when it has learned. */
class LearnedTrainingTest {
    private static final int MOST = 60;
    /** Eight questions with the same answer. */
    private static final List<TokenSequence> EASY = rows(8, i -> 3);
    /** Eight questions with answers of their own. */
    private static final List<TokenSequence> HARD = rows(8, i -> i + 4);
    /** Eight questions of which two have a second, contradictory answer: rows 3 and 9, 4 and 10. */
    private static final List<TokenSequence> CONTRADICTORY = IntStream.range(0, 10)
            .mapToObj(i -> row(i < 8 ? i : i - 6, i < 8 ? i + 4 : 3)).toList();

    @TempDir
    private Path folder;

    private static List<TokenSequence> rows(int count, IntUnaryOperator answer) {
        return IntStream.range(0, count).mapToObj(i -> row(i, answer.applyAsInt(i))).toList();
    }

    private static TokenSequence row(int question, int answer) {
        return new TokenSequence(new int[] {question, 12 - question, answer}, new float[] {0, 0, 1});
    }

    private static TrainerBuilder asked(Tiny tiny) {
        return tiny.trainer().epochs(MOST).batchSize(2).learningRate(0.03).learnedShare(0.97);
    }

    private static TrainingResult train(List<TokenSequence> rows, UnaryOperator<TrainerBuilder> more) {
        try (Tiny tiny = new Tiny()) {
            return more.apply(asked(tiny)).build().train(rows);
        }
    }

    @Test
    void aSetThatIsLearnedSoonEndsItsTrainingEarly() {
        TrainingResult easy = train(EASY, b -> b);
        TrainingResult hard = train(HARD, b -> b);
        assertTrue(easy.steps().size() < hard.steps().size(), easy + " and " + hard);
        for (TrainingResult each : List.of(easy, hard)) {
            LearnedRows rows = each.learned().orElseThrow();
            assertEquals(Reason.LEARNED, rows.reason());
            assertEquals(8, rows.learned());
            assertEquals(List.of(), rows.unlearned());
            assertEquals(rows.epochs(), each.steps().size() / 4.0, 1e-9);
            assertEquals(0.3, (rows.epochs() - rows.stableEpochs()) / rows.epochs(), 0.1);
            assertTrue(each.toString().contains("8 of 8 rows learned after"), each.toString());
            assertEquals(8.0, each.steps().get(each.steps().size() - 1).measures().get(StepMetrics.LEARNED_ROWS));
            assertEquals(4L * MOST, each.plan().totalSteps());
        }
    }

    /** From the fall of its rate on nothing tells it from a training whose length was given. */
    @Test
    void itIsTheTrainingOfAGivenLengthBitForBit() throws IOException {
        TrainingResult free = train(HARD, b -> b.output(folder.resolve("free")));
        TrainingResult given = train(HARD, b -> b.learnedShare(0).maxSteps(free.steps().size())
                .output(folder.resolve("given")));
        assertEquals(Reason.GIVEN, given.learned().orElseThrow().reason());
        assertArrayEquals(Runs.weights(folder.resolve("given")), Runs.weights(folder.resolve("free")));
        assertEquals(Runs.metrics(folder.resolve("given")), Runs.metrics(folder.resolve("free")));
    }

    @Test
    void whileItIsOpenItsEndIsARangeThatGetsNarrower() {
        List<StepMetrics> steps = train(HARD, b -> b).steps();
        long most = 4L * MOST;
        for (int i = 0; i < steps.size(); i++) {
            StepMetrics each = steps.get(i);
            boolean falls = each.mostSteps() < most;
            assertEquals(falls ? steps.size() : most, each.mostSteps());
            assertTrue(each.fewestSteps() >= (i == 0 ? 0 : steps.get(i - 1).fewestSteps()) && each.fewestSteps() > 0);
            assertTrue(falls ? each.fewestSteps() == steps.size() : each.fewestSteps() < most);
            assertTrue(each.leastSecondsLeft() <= each.secondsLeft());
        }
    }

    /** In the stable part, at the update after which the rate falls, and while it falls. */
    @ParameterizedTest
    @CsvSource({"-3", "0", "2"})
    void crashedAndResumedItEqualsTheUninterruptedOne(int fromFall) throws IOException {
        TrainingResult whole = train(HARD, b -> b.output(folder.resolve("whole")));
        long fall = Math.round(4 * whole.learned().orElseThrow().stableEpochs());
        Path crashed = folder.resolve("crashed");
        UnaryOperator<TrainerBuilder> saving = b -> b.output(crashed).checkpointEverySteps(1);
        assertThrows(Runs.Crash.class, () -> train(HARD, b -> Runs.crashingAfter(fall + fromFall + 1)
                .apply(saving.apply(b))));
        TrainingResult resumed = train(HARD, b -> saving.apply(b).start(RunStart.RESUME));
        assertEquals(fall + fromFall, resumed.plan().doneSteps());
        assertEquals(whole.learned(), resumed.learned());
        assertArrayEquals(Runs.weights(folder.resolve("whole")), Runs.weights(crashed));
        assertEquals(Runs.metrics(folder.resolve("whole")), Runs.metrics(crashed));
    }

    @Test
    void severalWorkersAgreeWhenTheRateFalls() {
        TrainingResult alone = train(HARD, b -> b);
        List<Team.Outcome<TrainingResult>> outcomes = Team.run(2, workers -> train(HARD, b -> b.workers(workers)));
        for (Team.Outcome<TrainingResult> each : outcomes) {
            assertEquals(null, each.failure());
            assertEquals(alone.learned(), each.value().learned());
            assertEquals(alone.steps().size(), each.value().steps().size());
        }
    }

    @Test
    void sideBySideTheySeeTheSame() {
        TrainingResult alone = train(HARD, b -> b);
        try (Tiny tiny = new Tiny()) {
            TrainingResult shared = SideBySideTrainer.of(List.of(asked(tiny).build())).train(HARD).get(0).result()
                    .orElseThrow();
            assertEquals(alone.learned(), shared.learned());
        }
    }

    @Test
    void aBoundEndsItAndIsNamed() {
        TrainingResult steps = train(HARD, b -> b.maxSteps(10));
        assertEquals(10, steps.steps().size());
        assertEquals(Reason.MAX_STEPS, steps.learned().orElseThrow().reason());
        assertTrue(steps.toString().contains("max_steps"), steps.toString());
        TrainingResult epochs = train(HARD, b -> b.epochs(2));
        assertEquals(Reason.EPOCHS, epochs.learned().orElseThrow().reason());
        assertEquals(8, epochs.steps().size());
        TrainingResult time = train(HARD, b -> b.timeBudget(Duration.ofNanos(1)));
        assertEquals(Reason.TIME_BUDGET, time.learned().orElseThrow().reason());
        assertEquals(1, time.steps().size());
        assertEquals(List.of(), time.learned().orElseThrow().suspects(), "no time to learn is no fault of a row");
        assertTrue(time.toString().contains("most rows are not learned yet, so train longer"), time.toString());
        assertEquals(Reason.MAX_STEPS, train(HARD, b -> b.maxSteps(10).timeBudget(Duration.ofDays(1))).learned()
                .orElseThrow().reason());
    }

    @Test
    void contradictingRowsAreListedAndEndATrainingWithoutProgress() throws IOException {
        Path output = folder.resolve("run");
        TrainingResult result = train(CONTRADICTORY, b -> b.epochs(200).output(output));
        LearnedRows rows = result.learned().orElseThrow();
        assertEquals(Reason.NO_PROGRESS, rows.reason());
        assertTrue(rows.unlearned().size() >= 2 && Set.of(3L, 4L, 9L, 10L).containsAll(rows.unlearned()),
                rows.toString());
        assertEquals(10, rows.rows());
        assertEquals(rows.unlearned(), rows.suspects());
        assertEquals(rows, TrainingRecord.read(output).info().learned().orElseThrow());
        String page = Files.readString(output.resolve("training.html"));
        assertTrue(page.contains(rows.listed()) && page.contains("Rows that were right"), rows.listed());
    }

    @Test
    void aStandstillBeforeHalfIsLearnedIsWaitedOut() {
        LearnedRows rows = train(HARD, b -> b.epochs(20).learningRate(1e-9)).learned().orElseThrow();
        assertEquals(Reason.NO_PROGRESS, rows.reason());
        assertEquals(10, rows.stableEpochs(), "half of the bound, not two epochs");
    }

    @Test
    void validationDataDecideInPlaceOfTheRows() {
        List<TokenSequence> others = rows(4, i -> 11 - i);
        TrainingResult result = train(HARD, b -> b.validation(others));
        assertEquals(Reason.VALIDATION, result.learned().orElseThrow().reason());
        double lowest = result.evaluations().stream().mapToDouble(TrainingResult.Evaluation::loss).min().orElseThrow();
        TrainingResult.Evaluation best = result.evaluations().stream().filter(each -> each.loss() == lowest).findFirst()
                .orElseThrow();
        assertEquals(best.epoch() + 2, result.learned().orElseThrow().stableEpochs(), 1e-9);
    }

    /** Cut off before it had learned, it resumes where the rate was still high. */
    @ParameterizedTest
    @ValueSource(ints = {0, 3})
    void aFinishedTrainingGoesOnFromBeforeItsRateFell(int checkpoints) throws IOException {
        Path output = folder.resolve("run");
        UnaryOperator<TrainerBuilder> cutOff = b -> b.epochs(4).output(output).checkpointEverySteps(checkpoints);
        TrainingResult cut = train(HARD, cutOff);
        assertEquals(Reason.EPOCHS, cut.learned().orElseThrow().reason());
        byte[] before = Runs.weights(output);
        TrainingResult more = train(HARD, b -> cutOff.apply(b).start(RunStart.RESUME));
        assertTrue(more.plan().doneSteps() >= (checkpoints == 0 ? 11 : 9), more.toString());
        assertEquals(more.plan().doneSteps() + 16, more.plan().totalSteps());
        assertTrue(more.learned().orElseThrow().learned() >= cut.learned().orElseThrow().learned());
        assertEquals(0.03, more.steps().get(0).learningRate(), 1e-12);
        assertTrue(!Arrays.equals(before, Runs.weights(output)));
    }

    @Test
    void rowsBesideWhatIsToBeLearnedDoNotCount() {
        List<EncodedExample> examples = IntStream.range(0, 4).mapToObj(i -> EncodedExample.of(row(i, i)).ofRow(i))
                .toList();
        RowVisits rows = new RowVisits(true, examples);
        assertEquals(3, rows.size());
        assertEquals(-1, rows.place(examples.get(0)));
        rows.add(rows.place(examples.get(2)), new RowVisits.Visit(true, 0.5));
        assertEquals(List.of(1L, 3L), rows.unlearned());
        assertEquals(0.5, rows.meanLoss());
        assertTrue(!rows.areSeen());
        assertEquals(0, new RowVisits(false, examples).size());
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.05, 0.2, 0.3, 0.9})
    void aScheduleThatFallsFromAStepHasTheShapeOfOneOfThatLength(double share) {
        LearningRateSchedule schedule = LearningRateSchedule.warmupStableDecay(share);
        for (long step = 1; step < 300; step++) {
            long total = schedule.totalFrom(step, 0).orElseThrow();
            assertEquals(1, schedule.factor(step, 0, total), "the first step of the fall begins at the top");
            assertTrue(total == step + 1 || schedule.factor(step + 1, 0, total) < 1, step + " of " + total);
            assertTrue(total >= Math.floor(step / (1 - share)) - 1 / (1 - share), step + " of " + total);
        }
    }

    @Test
    void aScheduleThatFallsAllTheTimeMustKnowItsEnd() {
        assertThrows(ConfigurationException.class,
                () -> TrainingOptions.builder().schedule(LearningRateSchedule.LINEAR).learnedShare(0.9).build());
        assertEquals(0, TrainingOptions.builder().schedule(LearningRateSchedule.COSINE).build().learnedShare()
                .getAsDouble());
        assertEquals(0, TrainingOptions.builder().epochs(3).build().learnedShare().getAsDouble());
        assertTrue(TrainingOptions.defaults().learnedShare().isEmpty());
        TrainingResult constant = train(EASY, b -> b.schedule(LearningRateSchedule.CONSTANT));
        assertEquals(constant.learned().orElseThrow().stableEpochs(), constant.learned().orElseThrow().epochs());
    }
}
