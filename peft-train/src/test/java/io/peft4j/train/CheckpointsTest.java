package io.peft4j.train;

import static io.peft4j.train.Runs.checkpoints;
import static io.peft4j.train.Runs.crashingAfter;
import static io.peft4j.train.Runs.metrics;
import static io.peft4j.train.Runs.names;
import static io.peft4j.train.Runs.resume;
import static io.peft4j.train.Runs.train;
import static io.peft4j.train.Runs.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.LogLines;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.train.Runs.Crash;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints that are damaged, half written or half deleted. */
class CheckpointsTest {
    @TempDir
    private Path folder;

    /** Crashed after the fifth update, with checkpoints after the third and the fourth. */
    private Path crashed() {
        Path output = folder.resolve("run");
        assertThrows(Crash.class, () -> train(output, b -> crashingAfter(5).apply(b.checkpointEverySteps(1))));
        return output;
    }

    private static void damage(Path file, String how) throws IOException {
        byte[] good = Files.readAllBytes(file);
        switch (how) {
            case "empty" -> Files.write(file, new byte[0]);
            case "cut" -> Files.write(file, java.util.Arrays.copyOf(good, good.length - 3));
            case "flipped" -> {
                good[good.length / 2] ^= 1;
                Files.write(file, good);
            }
            default -> Files.delete(file);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"optimizer.safetensors", "trainer_state.json", "adapter_model.safetensors",
        "adapter_config.json", "SHA256SUMS"})
    void theCheckpointBeforeADamagedOneIsUsed(String name) throws IOException {
        Path whole = folder.resolve("whole");
        train(whole, b -> b);
        for (String how : List.of("empty", "cut", "flipped", "gone")) {
            Path output = crashed();
            assertEquals(Set.of("checkpoint-3", "checkpoint-4"), checkpoints(output));
            Path file = output.resolve("checkpoint-4").resolve(name);
            damage(file, how);
            List<TrainingResult> results = new ArrayList<>();
            List<String> log = LogLines.of(() -> results.add(resume(output)));
            assertEquals(3, results.get(0).plan().doneSteps(), name + " " + how);
            // A folder without the state is half deleted, and never counted; damaged checksums may accuse another file.
            String accused = name.equals(Checkpoints.SUMS) ? file.getParent().toString() : file.toString();
            assertTrue(
                    name.equals("trainer_state.json") && how.equals("gone") || log.stream().anyMatch(
                            line -> line.contains(accused) && line.contains("the checkpoint before it is used")),
                    log.toString());
            assertArrayEquals(weights(whole), weights(output));
            assertEquals(metrics(whole), metrics(output));
            AtomicFiles.delete(output);
        }
    }

    @Test
    void theDamagedCheckpointIsWrittenAgain() throws IOException {
        Path output = crashed();
        damage(output.resolve("checkpoint-4/optimizer.safetensors"), "flipped");
        assertThrows(Crash.class, () -> train(output, b -> crashingAfter(5).apply(b.checkpointEverySteps(1)
                .start(RunStart.RESUME))));
        assertEquals(Set.of("checkpoint-3", "checkpoint-4"), checkpoints(output));
        assertEquals(4, resume(output).plan().doneSteps());
    }

    @Test
    void aWrongCommandDeletesNothing() throws IOException {
        Path output = crashed();
        damage(output.resolve("checkpoint-4/optimizer.safetensors"), "flipped");
        Runs.assertMessage("cannot resume from " + output.resolve("checkpoint-3"),
                () -> train(output, b -> b.start(RunStart.RESUME).seed(5)));
        assertEquals(Set.of("checkpoint-3", "checkpoint-4"), checkpoints(output));
    }

    @ParameterizedTest
    @ValueSource(strings = {"optimizer.safetensors", "trainer_state.json"})
    void whereAllAreDamagedNothingIsChanged(String name) throws IOException {
        Path output = crashed();
        damage(output.resolve("checkpoint-4").resolve(name), "cut");
        damage(output.resolve("checkpoint-3").resolve(name), "cut");
        try (Tiny tiny = new Tiny(0.2)) {
            float[] before = tiny.values();
            PeftException e = assertThrows(PeftException.class, () -> Runs.builder(tiny, output)
                    .start(RunStart.RESUME).build().train(Runs.EXAMPLES));
            assertTrue(e.getMessage().contains(output.resolve("checkpoint-3").resolve(name).toString()),
                    e.getMessage());
            assertArrayEquals(before, tiny.values());
        }
    }

    @Test
    void aChecksumsFileThatPointsElsewhereIsRefused() throws IOException {
        Path output = crashed();
        Path secret = Files.writeString(folder.resolve("secret"), "mine");
        for (String step : List.of("checkpoint-3", "checkpoint-4")) {
            Files.writeString(output.resolve(step).resolve(Checkpoints.SUMS), "00  ../../" + secret.getFileName());
        }
        String message = assertThrows(PeftException.class, () -> resume(output)).getMessage();
        assertTrue(message.contains("SHA256SUMS: is damaged"), message);
    }

    @Test
    void checksumsAreThoseThatTheSystemsToolChecks() throws Exception {
        Path checkpoint = crashed().resolve("checkpoint-4");
        Process process = new ProcessBuilder("sha256sum", "--strict", "-c", Checkpoints.SUMS)
                .directory(checkpoint.toFile()).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), out);
        assertEquals(6, out.lines().filter(line -> line.endsWith(": OK")).count(), out);
    }

    @Test
    void whatKilledProcessesLeftIsRemoved() throws IOException {
        Path output = crashed();
        Files.createDirectories(output.resolve(".checkpoint-5.tmp/default"));
        Files.createDirectories(output.resolve(".checkpoint-2.old"));
        Path half = Files.createDirectories(output.resolve("checkpoint-1"));
        Files.writeString(half.resolve(OptimizerFile.FILE), "half deleted");
        Files.writeString(output.resolve(".adapter_model.safetensors.01234567-89ab-cdef-0123-456789abcdef.tmp"), "");
        Path mine = Files.createDirectories(output.resolve("checkpoint-7"));
        Files.writeString(mine.resolve("notes.txt"), "mine");
        Files.writeString(output.resolve(".mine.tmp"), "mine");
        resume(output);
        assertEquals(Set.of("checkpoint-3", "checkpoint-4", "checkpoint-7"), checkpoints(output));
        assertEquals(Set.of("notes.txt"), names(mine));
        assertEquals(List.of(".mine.tmp"), names(output).stream().filter(name -> name.startsWith(".")).toList());
    }

    @Test
    void aFullDiskLeavesNoHalfCheckpointAndOneLineInTheLog() throws IOException {
        Checkpoints checkpoints = new Checkpoints(folder, 1, 2);
        assertTrue(checkpoints.add(1, half -> AtomicFiles.writeString(half.resolve(TrainingState.FILE), "{}")));
        List<String> log = LogLines.of(() -> assertFalse(checkpoints.add(2, half -> {
            AtomicFiles.writeString(half.resolve(OptimizerFile.FILE), "");
            throw new UncheckedIOException("Cannot write x: No space left on device.",
                    new IOException("No space left on device"));
        })));
        assertEquals(Set.of("checkpoint-1"), names(folder));
        assertEquals(List.of(folder.resolve("checkpoint-1")), checkpoints.newestFirst());
        assertEquals(1, log.size(), log.toString());
        assertTrue(log.get(0).endsWith("cannot write " + folder.resolve("checkpoint-2")
                + ", the training continues: Cannot write x: No space left on device."), log.toString());
    }
}
