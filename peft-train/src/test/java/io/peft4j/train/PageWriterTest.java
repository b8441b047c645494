package io.peft4j.train;

import static io.peft4j.train.Runs.train;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.LogLines;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.train.runs.RunInfo;
import io.peft4j.train.runs.TrainingRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a training tells of itself in its output folder. */
class PageWriterTest {
    private static final TrainingPlan PLAN = new TrainingPlan(1, 0, 10, 5, 100, 100, 0, 7, Map.of("seed", "3"), "");

    @TempDir
    private Path folder;

    private Path page() {
        return folder.resolve("training.html");
    }

    private static StepMetrics step(long number) {
        return new StepMetrics(number, 0.1, 1, 1, 1, 1, 1, 1, 1);
    }

    @Test
    void theTrainingLeavesItsPageSettingsAndPlan() throws IOException {
        TrainingResult result = train(folder, b -> b);
        TrainingRecord run = TrainingRecord.read(folder);
        assertEquals(RunInfo.State.FINISHED, run.info().state());
        assertEquals(result.plan().settings(), run.info().settings());
        assertEquals(11, run.info().plan().get("examples"));
        assertEquals(result.plan().trainableParameters(), run.info().plan().get("trainable_parameters"));
        assertEquals(result.seconds(), run.info().seconds().orElseThrow());
        assertEquals(result.finalTrainLoss(), run.last("train_loss"));
        assertEquals(result.finalEvalLoss(), run.last("eval_loss"));
        String html = Files.readString(page());
        assertTrue(html.contains("<h1>Finished</h1>") && html.contains("9 steps in "), html);
    }

    @Test
    void stoppedFailedAndResumedTrainingsSayWhatTheyAre() throws IOException {
        train(folder.resolve("stopped"), Runs.cancellingAfter(4));
        assertEquals(RunInfo.State.STOPPED, TrainingRecord.read(folder.resolve("stopped")).info().state());
        Path failed = folder.resolve("failed");
        assertThrows(Runs.Crash.class, () -> train(failed,
                b -> Runs.crashingAfter(7).apply(b.checkpointEverySteps(3))));
        TrainingRecord run = TrainingRecord.read(failed);
        assertEquals(RunInfo.State.FAILED, run.info().state());
        assertEquals("Crash", run.info().failure().orElseThrow());
        assertTrue(Files.readString(failed.resolve("training.html")).contains("<h1>Failed</h1>"));
        Runs.resume(failed);
        assertEquals(6, TrainingRecord.read(failed).info().plan().get("done_steps"));
        assertEquals(RunInfo.State.FINISHED, TrainingRecord.read(failed).info().state());
        assertTrue(TrainingRecord.read(failed).info().failure().isEmpty());
    }

    @Test
    void anAdapterThatCannotBeSavedIsAFailureOnThePage() throws IOException {
        assertThrows(UncheckedIOException.class, () -> train(folder.resolve("run"), Runs.after(9, () -> {
            try {
                Files.createDirectories(folder.resolve("run/adapter_config.json"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        })));
        assertTrue(Files.readString(folder.resolve("run/training.html")).contains("What was trained is kept in"));
        AtomicFiles.delete(EmergencyCheckpoint.of(folder.resolve("run")).folder());
    }

    @Test
    void warningsAndTheBestStepStandOnThePage() throws IOException {
        PageWriter writer = new PageWriter(folder, () -> 0);
        writer.onStart(PLAN);
        writer.onStep(new StepMetrics(1, 0.1, 1, 1, 0, 1, 1, 1, 1));
        writer.onEnd(new TrainingResult(PLAN, List.of(), List.of(), TrainingResult.Ending.STOPPED_EARLY,
                OptionalLong.of(40), 2, Optional.of(folder), Optional.empty(), Optional.empty()));
        String html = Files.readString(page());
        assertTrue(html.contains("<h1>Stopped early</h1>") && html.contains("all gradients are 0")
                && html.contains("that of step 40, where"), html);
    }

    @Test
    void aPageThatCannotBeWrittenIsAWarningAndTheTrainingGoesOn() throws IOException {
        Files.createDirectories(page());
        List<TrainingResult> results = new ArrayList<>();
        List<String> log = LogLines.of(() -> results.add(train(folder, b -> b)));
        assertEquals(9, results.get(0).steps().size());
        assertEquals(1, log.stream().filter(line -> line.contains("the page of the training is not written")).count(),
                log.toString());
        assertTrue(Files.exists(folder.resolve("adapter_model.safetensors")));
        assertEquals(RunInfo.State.FINISHED, TrainingRecord.read(folder).info().state());
    }

    @Test
    void whileATrainingRunsThePageIsWrittenAtMostEveryTenSeconds() throws IOException {
        AtomicLong now = new AtomicLong();
        PageWriter writer = new PageWriter(folder, now::get);
        writer.onStart(PLAN);
        now.addAndGet(9_000_000_000L);
        writer.onStep(step(1));
        assertFalse(Files.exists(page()));
        now.addAndGet(1_000_000_000L);
        writer.onStep(step(2));
        assertTrue(Files.readString(page()).contains("<h1>Running</h1>"));
        Files.delete(page());
        now.addAndGet(9_000_000_000L);
        writer.onEvaluation(2, 1, 1);
        assertFalse(Files.exists(page()));
        now.addAndGet(1_000_000_000L);
        writer.onEvaluation(2, 1, 1);
        assertTrue(Files.exists(page()));
    }

    @Test
    void aSlowPageTakesAtMostAHundredthOfTheTime() throws IOException {
        AtomicLong now = new AtomicLong();
        // Each look at the clock takes a second, and so does each page.
        PageWriter writer = new PageWriter(folder, () -> now.addAndGet(1_000_000_000L));
        writer.onStart(PLAN);
        List<Integer> written = new ArrayList<>();
        for (int i = 1; i <= 230; i++) {
            writer.onStep(step(i));
            if (Files.deleteIfExists(page())) {
                written.add(i);
            }
        }
        assertEquals(List.of(10, 110, 210), written);
    }
}
