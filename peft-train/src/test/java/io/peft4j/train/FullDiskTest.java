package io.peft4j.train;

import static io.peft4j.train.Runs.EXAMPLES;
import static io.peft4j.train.Runs.checkpoints;
import static io.peft4j.train.Runs.metrics;
import static io.peft4j.train.Runs.names;
import static io.peft4j.train.Runs.train;
import static io.peft4j.train.Runs.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.LogLines;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.file.AdapterProvenance;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.lora.LoraConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What was trained is kept, whatever the disk does not take. A folder in the place of a file stands for a disk that
 * does not take this file.
 */
class FullDiskTest {
    @TempDir
    private Path folder;

    private Path output;
    private Path kept;

    @BeforeEach
    void nameFolders() {
        output = folder.resolve("run");
        kept = EmergencyCheckpoint.of(output).folder();
    }

    @AfterEach
    void removeWhatIsKept() throws IOException {
        if (Files.isDirectory(kept)) {
            AtomicFiles.delete(kept);
        } else {
            Files.deleteIfExists(kept);
        }
    }

    /** Puts a folder in the place of a file when the training begins. */
    private UnaryOperator<TrainerBuilder> without(String... files) {
        return builder -> builder.listener(new TrainingListener() {
            @Override
            public void onStart(TrainingPlan plan) {
                for (String file : files) {
                    makeFolder(output.resolve(file));
                }
            }
        });
    }

    private static void makeFolder(Path path) {
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"adapter_config.json", "adapter_model.safetensors", "peft4j_passport.json",
        "tokenizer.json"})
    void anAdapterThatCannotBeSavedIsKeptAndResumingFinishesTheSave(String obstacle) throws IOException {
        Path whole = folder.resolve("whole");
        train(whole, b -> b);
        try (Tiny tiny = new Tiny(0.2)) {
            UncheckedIOException failed = assertThrows(UncheckedIOException.class, () -> without(obstacle)
                    .apply(Runs.builder(tiny, output)).build().train(EXAMPLES));
            assertTrue(failed.getMessage().contains(output.resolve(obstacle).toString()), failed.getMessage());
            assertTrue(failed.getMessage().contains("What was trained is kept in " + kept.resolve("checkpoint-9")
                    + ", an adapter that can be used; make room and resume"), failed.getMessage());
            try (PeftModel usable = PeftModel.load(tiny.base, kept.resolve("checkpoint-9"))) {
                for (int i = 0; i < usable.trainableParameters().size(); i++) {
                    assertArrayEquals(Arrays.toFloats(tiny.model.trainableParameters().get(i).value()),
                            Arrays.toFloats(usable.trainableParameters().get(i).value()));
                }
            }
        }
        Set<String> half = new TreeSet<>(Set.of(obstacle, "metrics.jsonl", "run.json", "training.html"));
        if (obstacle.equals("tokenizer.json")) {
            half.addAll(Set.of("adapter_config.json", "adapter_model.safetensors", "peft4j_passport.json"));
        }
        assertEquals(half, names(output), "no half of an adapter stays");
        Files.delete(output.resolve(obstacle));
        TrainingResult finished = Runs.resume(output);
        assertEquals(9, finished.plan().doneSteps());
        assertTrue(finished.steps().isEmpty());
        assertArrayEquals(weights(whole), weights(output));
        assertEquals(metrics(whole), metrics(output));
        assertEquals(names(whole), names(output));
        assertFalse(Files.exists(kept), "what was kept is not needed any more");
    }

    @Test
    void aCancelledTrainingIsKeptToo() throws IOException {
        Path whole = folder.resolve("whole");
        train(whole, b -> b);
        assertThrows(UncheckedIOException.class, () -> train(output, b -> Runs.cancellingAfter(4).apply(
                without("adapter_config.json", "checkpoint-4/mine").apply(b))));
        assertTrue(Files.exists(kept.resolve("checkpoint-4")));
        Files.delete(output.resolve("adapter_config.json"));
        assertEquals(4, Runs.resume(output).plan().doneSteps());
        assertArrayEquals(weights(whole), weights(output));
    }

    @Test
    void aCheckpointOfTheLastUpdateIsEnough() {
        UncheckedIOException failed = assertThrows(UncheckedIOException.class, () -> train(output,
                b -> without("adapter_config.json").apply(b.checkpointEverySteps(3))));
        assertTrue(failed.getMessage().contains("What was trained is kept in " + output.resolve("checkpoint-9")),
                failed.getMessage());
        assertFalse(Files.exists(kept));
    }

    @Test
    void whereNothingElseTakesItTheLastCheckpointIsNamed() throws IOException {
        Files.writeString(kept, "in the way");
        UncheckedIOException failed = assertThrows(UncheckedIOException.class, () -> train(output,
                b -> without("adapter_config.json").apply(b.checkpointEverySteps(4))));
        assertTrue(failed.getMessage().endsWith("The last checkpoint is " + output.resolve("checkpoint-8")
                + "; make room and resume the training from there"), failed.getMessage());
        Path other = folder.resolve("other");
        Path otherKept = EmergencyCheckpoint.of(other).folder();
        Files.writeString(otherKept, "in the way");
        try (Tiny tiny = new Tiny(0.2)) {
            UncheckedIOException nowhere = assertThrows(UncheckedIOException.class, () -> Runs.builder(tiny, other)
                    .listener(new TrainingListener() {
                        @Override
                        public void onStart(TrainingPlan plan) {
                            makeFolder(other.resolve("adapter_config.json"));
                        }
                    }).build().train(EXAMPLES));
            assertTrue(nowhere.getMessage().endsWith("make room and call saveAdapter"), nowhere.getMessage());
            tiny.model.saveAdapter(folder.resolve("elsewhere"));
            PeftModel.load(tiny.base, folder.resolve("elsewhere")).close();
        } finally {
            Files.delete(otherKept);
        }
    }

    @Test
    void aNewTrainingForTheSameFolderLeavesWhatWasKept() throws IOException {
        assertThrows(UncheckedIOException.class, () -> train(output, without("adapter_config.json")));
        AtomicFiles.delete(output);
        List<String> log = LogLines.of(() -> train(output, b -> b));
        assertFalse(Files.exists(kept));
        String moved = log.stream().filter(line -> line.contains("what an earlier training")).findFirst()
                .orElseThrow().replaceFirst(".* is in (\\S+) now", "$1");
        assertTrue(Files.exists(Path.of(moved, "checkpoint-9", "trainer_state.json")), log.toString());
        AtomicFiles.delete(Path.of(moved));
    }

    @Test
    void anUnwritableCheckpointIsOneWarningAndTrainingContinues() throws IOException {
        Path whole = folder.resolve("whole");
        train(whole, b -> b);
        // A folder that is not empty cannot be replaced, and stands for a disk that takes no checkpoint.
        Files.createDirectories(output.resolve("checkpoint-2/mine"));
        List<String> log = LogLines.of(() -> train(output, b -> b.checkpointEverySteps(2).logProgress(false)));
        assertEquals(Set.of("checkpoint-2", "checkpoint-6", "checkpoint-8"), checkpoints(output));
        assertEquals(Set.of("mine"), names(output.resolve("checkpoint-2")));
        assertArrayEquals(weights(whole), weights(output));
        assertEquals(1, log.size(), log.toString());
        assertTrue(log.get(0).contains("cannot write " + output.resolve("checkpoint-2") + ", the training continues"),
                log.toString());
    }

    /** The passport is written with the adapter, and again with what is known of the training. */
    @Test
    void whatIsWrittenAboutAnAdapterIsOfLessWorth() {
        WordTokenizer filling = new WordTokenizer(TinyNetwork.VOCABULARY) {
            @Override
            public void save(Path target) {
                super.save(target);
                assertTrue(target.resolve(AdapterProvenance.FILE).toFile().delete());
                makeFolder(target.resolve(AdapterProvenance.FILE));
            }
        };
        try (TinyModel base = new TinyModel(new TinyNetwork(5, false, true), filling);
                PeftModel model = PeftModel.of(base, LoraConfig.builder().rank(2).build())) {
            List<String> log = LogLines.of(() -> Trainer.builder(model).options(TrainingOptions.of(1, 8, 2e-4))
                    .output(output).build().train(EXAMPLES));
            String warning = "the adapter is saved, but not everything written about it: Cannot write "
                    + output.resolve(AdapterProvenance.FILE);
            assertTrue(log.stream().anyMatch(line -> line.contains(warning)), log.toString());
        }
        assertTrue(Files.isRegularFile(output.resolve("adapter_model.safetensors")));
    }
}
