package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.LogLines;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Those who follow a training: what they are told, and what becomes of their failures. */
@Tag("jdk")
class ListenersTest {
    @TempDir
    private Path folder;

    /** Fails at everything. */
    private static final class Broken implements TrainingListener {
        private final List<String> calls = new ArrayList<>();

        private void fail(String call) {
            calls.add(call);
            throw new IllegalStateException("broken");
        }

        @Override
        public void onStart(TrainingPlan plan) {
            fail("start");
        }

        @Override
        public void onStep(StepMetrics metrics) {
            fail("step");
        }

        @Override
        public void onEvaluation(long step, double epoch, double evalLoss) {
            fail("evaluation");
        }

        @Override
        public void onCheckpoint(long step, Path checkpoint) {
            assertTrue(Files.isDirectory(checkpoint));
            fail("checkpoint-" + step);
        }

        @Override
        public void onEnd(TrainingResult result) {
            fail("end");
        }
    }

    @Test
    void aListenerThatFailsIsNamedAndTheTrainingGoesOn() {
        Broken broken = new Broken();
        List<String> lines = LogLines.of(() -> Runs.train(folder.resolve("run"),
                b -> b.checkpointEverySteps(4).listener(broken)));
        assertEquals(Map.of("start", 1L, "step", 9L, "evaluation", 4L, "checkpoint-4", 1L, "checkpoint-8", 1L, "end",
                1L), broken.calls.stream().collect(Collectors.groupingBy(call -> call, Collectors.counting())));
        List<String> warnings = lines.stream().filter(line -> line.contains("the listener")).toList();
        assertEquals(2, warnings.size(), "one while it runs and one at the end");
        assertTrue(warnings.get(0).contains("the listener ListenersTest$Broken failed at the start, the training "
                + "continues: java.lang.IllegalStateException: broken"), warnings.get(0));
    }

    @Test
    void aListenerThatSaysSoEndsTheTraining() {
        assertThrows(Runs.Crash.class, () -> Runs.train(folder.resolve("run"), Runs.crashingAfter(2)));
    }

    @Test
    void flightRecorderGetsStepsEvaluationsAndCheckpoints() throws IOException {
        Path file = folder.resolve("training.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("io.peft4j.TrainingStep").withThreshold(java.time.Duration.ZERO);
            recording.enable("io.peft4j.TrainingEvaluation").withThreshold(java.time.Duration.ZERO);
            recording.enable("io.peft4j.TrainingCheckpoint").withThreshold(java.time.Duration.ZERO);
            recording.start();
            Runs.train(folder.resolve("run"), b -> b.checkpointEverySteps(4));
            recording.stop();
            recording.dump(file);
        }
        Map<String, List<RecordedEvent>> events = RecordingFile.readAllEvents(file).stream()
                .collect(Collectors.groupingBy(event -> event.getEventType().getName()));
        List<RecordedEvent> steps = events.get("io.peft4j.TrainingStep");
        assertEquals(9, steps.size());
        assertTrue(steps.stream().allMatch(step -> step.getDuration().toNanos() > 0 && step.getLong("tokens") > 0
                && step.getDouble("trainLoss") > 0));
        assertEquals(List.of(0L, 3L, 6L, 9L), events.get("io.peft4j.TrainingEvaluation").stream()
                .map(event -> event.getLong("step")).sorted().toList());
        assertEquals(2, events.get("io.peft4j.TrainingCheckpoint").size());
        assertTrue(events.get("io.peft4j.TrainingCheckpoint").get(0).getString("folder").contains("checkpoint-"));
    }

    @Test
    void theLogTellsTheStartTheWayAndTheEnd() {
        List<String> lines = LogLines.of(() -> Runs.train(folder.resolve("run"), b -> b)).stream()
                .filter(line -> line.contains("train.Trainer")).toList();
        assertEquals(2, lines.size(), lines.toString());
        assertTrue(lines.get(0).contains("training on 11 examples"), lines.get(0));
        assertTrue(lines.get(1).contains("trained 9 of 9 steps"), lines.get(1));
        assertTrue(LogLines.of(() -> Runs.train(folder.resolve("quiet"), b -> b.logProgress(false))).stream()
                .noneMatch(line -> line.contains("train.Trainer")));
        List<String> said = new ArrayList<>();
        long[] now = {0};
        ProgressLog log = new ProgressLog(said::add, () -> now[0]);
        log.onStart(new TrainingPlan(10, 0, 100, 50, 5, 20, 2, 1000, Map.of(), "epochs 4 (why)"));
        log.onEvaluation(new TrainingResult.Evaluation(0, 0, 2.5));
        for (int second = 1; second <= 25; second++) {
            now[0] = second * 1_000_000_000L;
            log.onStep(new StepMetrics(second, 0.1 * second, 1.5, 1e-3, 1, 300, 100, 1, 60));
        }
        assertEquals(List.of("training on 10 examples with 100 tokens, 50 of them supervised: 20 steps of which 2 are "
                + "done, 1,000 trainable parameters", "auto: epochs 4 (why)",
                "step 10 of 20, epoch 1.0, loss 1.500, validation 2.500, 300 tokens/s, about 60 s left",
                "step 20 of 20, epoch 2.0, loss 1.500, validation 2.500, 300 tokens/s, about 60 s left"), said);
    }

    @Test
    void divergedTrainingNamesItsRowsAndKeepsTheLastGoodCheckpoint() throws IOException {
        Path output = folder.resolve("run");
        String message = assertThrows(ConfigurationException.class, () -> {
            try (Tiny tiny = new Tiny(0.2)) {
                Parameter first = tiny.model.trainableParameters().get(0);
                Runs.after(4, () -> Arrays.write(first.value(), 0, new float[] {Float.NaN}, 0, 1))
                        .apply(Runs.builder(tiny, output)).checkpointEverySteps(2).build().train(Runs.EXAMPLES);
            }
        }).getMessage();
        assertTrue(message.startsWith("after update 4 the values of "), message);
        assertEquals(java.util.Set.of("checkpoint-2"), Runs.checkpoints(output));
        Checkpoints.verify(output.resolve("checkpoint-2"));
        assertFalse(Files.exists(output.resolve("adapter_model.safetensors")));
        assertNotNull(Runs.resume(output));
    }

    @Test
    void rowsOfAFileAreNamedByTheirLines() throws IOException {
        Path file = Files.writeString(folder.resolve("data.jsonl"), ("{\"messages\": [{\"role\": \"user\", "
                + "\"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]}\n").repeat(3));
        try (Tiny tiny = new Tiny()) {
            String message = assertThrows(ConfigurationException.class,
                    () -> Runs
                            .after(1,
                                    () -> Arrays.write(tiny.model.trainableParameters().get(0).value(), 0,
                                            new float[] {Float.NaN}, 0, 1))
                            .apply(tiny.trainer()).batchSize(1).gradientAccumulation(2).shuffle(false).build()
                            .train(ChatDataset.read(file)))
                    .getMessage();
            assertTrue(message.contains("update 2 gave the loss NaN") && message.contains(
                    "batch 1 of 1 has no finite loss; its examples are training example 3 (" + file + ", line 3). "
                            + "Lower the learning rate (2.0E-4)"),
                    message);
            assertEquals("user", ChatDataset.read(file).examples().get(0).messages().stream().map(ChatMessage::role)
                    .findFirst().orElseThrow());
        }
    }
}
