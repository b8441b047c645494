package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.LogLines;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a training leaves on disk, also when something goes wrong. */
class RunFolderTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(12, 1);
    private static final Set<String> RUN = Set.of("adapter_config.json", "adapter_model.safetensors", "metrics.jsonl",
            "peft4j_passport.json", "tokenizer.json", "README.md", "run.json", "training.html");

    @TempDir
    private Path folder;

    @Test
    void theFolderIsAnAdapterWithTheTokenizerAndTheMetrics() throws IOException {
        Path output = folder.resolve("deep/run");
        try (Tiny tiny = new Tiny()) {
            TrainingResult result = tiny.trainer().learningRate(0.01).epochs(2).batchSize(5)
                    .validation(EXAMPLES).output(output).build().train(EXAMPLES);
            assertEquals(RUN, names(output));
            assertEquals(output, result.output().orElseThrow());
            assertTrue(result.toString().endsWith(", adapter in " + output), result.toString());
            try (PeftModel loaded = PeftModel.load(tiny.base, output)) {
                for (int i = 0; i < loaded.trainableParameters().size(); i++) {
                    assertArrayEquals(Arrays.toFloats(tiny.model.trainableParameters().get(i).value()),
                            Arrays.toFloats(loaded.trainableParameters().get(i).value()));
                }
            }
            assertMetrics(output, result);
        }
    }

    private static void assertMetrics(Path output, TrainingResult result) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(output.resolve("metrics.jsonl"))) {
            lines.add(new ObjectMapper().readTree(line));
        }
        assertEquals(9, lines.size());
        assertEquals("[step, epoch, eval_loss, eval_mean_token_accuracy]", keys(lines.get(0)));
        assertEquals(0, lines.get(0).get("step").asLong());
        assertEquals(result.evaluations().get(0).loss(), lines.get(0).get("eval_loss").asDouble());
        assertEquals("[step, epoch, train_loss, learning_rate, grad_norm, tokens, supervised_tokens, tokens_per_s, "
                + "learned_rows, mean_token_accuracy]", keys(lines.get(1)));
        StepMetrics first = result.steps().get(0);
        assertEquals(1, lines.get(1).get("step").asLong());
        assertEquals(0.416667, lines.get(1).get("epoch").asDouble());
        assertEquals(first.trainLoss(), lines.get(1).get("train_loss").asDouble());
        assertEquals(first.learningRate(), lines.get(1).get("learning_rate").asDouble());
        assertEquals(first.gradNorm(), lines.get(1).get("grad_norm").asDouble());
        assertEquals(first.tokens(), lines.get(1).get("tokens").asLong());
        assertEquals(first.supervisedTokens(), lines.get(1).get("supervised_tokens").asLong());
        assertTrue(lines.get(1).get("tokens_per_s").asDouble() > 0);
        assertTrue(lines.get(4).has("eval_loss") && lines.get(8).has("eval_loss"));
    }

    private static String keys(JsonNode line) {
        List<String> keys = new ArrayList<>();
        line.fieldNames().forEachRemaining(keys::add);
        return keys.toString();
    }

    @Test
    void metricsAreWrittenAfterEachUpdate() {
        Path output = folder.resolve("run");
        try (Tiny tiny = new Tiny()) {
            List<Integer> lines = new ArrayList<>();
            tiny.trainer().epochs(1).batchSize(4).output(output).listener(new TrainingListener() {
                @Override
                public void onStep(StepMetrics metrics) {
                    lines.add(linesOf(output.resolve("metrics.jsonl")));
                }
            }).build().train(EXAMPLES);
            assertEquals(List.of(1, 2, 3), lines);
        }
    }

    private static int linesOf(Path file) {
        try {
            return Files.readAllLines(file).size();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void theSameSeedGivesTheSameBytes(KernelProvider kernels) throws IOException {
        byte[] first = bytes("first", 3, kernels);
        assertArrayEquals(first, bytes("second", 3, kernels));
        assertFalse(java.util.Arrays.equals(first, bytes("other", 4, kernels)));
    }

    private byte[] bytes(String name, long seed, KernelProvider kernels) throws IOException {
        Path output = folder.resolve(name);
        try (Tiny tiny = new Tiny(0.3, kernels.create(2))) {
            tiny.trainer().learningRate(0.01).batchSize(3).seed(seed).output(output).build()
                    .train(EXAMPLES);
        }
        return Files.readAllBytes(output.resolve(AdapterCheckpoint.WEIGHTS_FILE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"metrics.jsonl", "adapter_config.json", "adapter_model.safetensors"})
    void aFolderThatHoldsARunIsRefusedBeforeAnythingIsComputed(String sign) throws IOException {
        Files.writeString(folder.resolve(sign), "mine");
        try (Tiny tiny = new Tiny()) {
            float[] before = tiny.values();
            List<TrainingPlan> begun = new ArrayList<>();
            Trainer trainer = tiny.trainer().output(folder).listener(new TrainingListener() {
                @Override
                public void onStart(TrainingPlan plan) {
                    begun.add(plan);
                }
            }).build();
            ConfigurationException refused = assertThrows(ConfigurationException.class, () -> trainer.train(EXAMPLES));
            assertEquals("the output folder " + folder + " already holds a run (" + sign + "); resume it, give "
                    + "another folder, or say what is to happen: " + IfExists.CHOICES, refused.getMessage());
            assertArrayEquals(before, tiny.values());
            assertTrue(begun.isEmpty());
        }
        assertEquals("mine", Files.readString(folder.resolve(sign)));
        assertEquals(Set.of(sign), names(folder));
    }

    @Test
    void aSecondRunTakesTheNextFolderOrOverwritesIfAsked() throws IOException {
        Path output = folder.resolve("run");
        train(output, IfExists.NEXT, 1);
        byte[] first = Files.readAllBytes(output.resolve(AdapterCheckpoint.WEIGHTS_FILE));
        assertEquals(folder.resolve("run-2"), train(output, IfExists.NEXT, 2).output().orElseThrow());
        assertArrayEquals(first, Files.readAllBytes(output.resolve(AdapterCheckpoint.WEIGHTS_FILE)));
        byte[] second = Files.readAllBytes(folder.resolve("run-2").resolve(AdapterCheckpoint.WEIGHTS_FILE));

        Files.writeString(output.resolve("notes.txt"), "mine");
        Files.createDirectories(output.resolve("checkpoint-9"));
        Files.writeString(output.resolve("checkpoint-9").resolve(TrainingState.FILE), "of the former run");
        assertEquals(output, train(output, IfExists.OVERWRITE, 2).output().orElseThrow());
        assertArrayEquals(second, Files.readAllBytes(output.resolve(AdapterCheckpoint.WEIGHTS_FILE)));
        assertEquals(2, linesOf(output.resolve("metrics.jsonl")));
        assertEquals("mine", Files.readString(output.resolve("notes.txt")));
        assertFalse(Files.exists(output.resolve("checkpoint-9")), "what could be resumed is the new run's");
    }

    private static TrainingResult train(Path output, IfExists policy, long seed) {
        try (Tiny tiny = new Tiny()) {
            return tiny.trainer().epochs(1).batchSize(6).seed(seed).output(output, policy).build()
                    .train(EXAMPLES);
        }
    }

    @Test
    void aTrainingThatIsResumedHasNothingToOverwrite() {
        try (Tiny tiny = new Tiny()) {
            TrainerBuilder builder = tiny.trainer().output(folder, IfExists.OVERWRITE)
                    .start(RunStart.RESUME);
            String message = assertThrows(ConfigurationException.class, builder::build).getMessage();
            assertTrue(message.contains("IfExists.OVERWRITE is for a training that begins"), message);
        }
    }

    @Test
    void twoTrainingsDoNotWriteToOneFolder() throws IOException {
        Path output = folder.resolve("run");
        List<String> refusals = new ArrayList<>();
        try (Tiny tiny = new Tiny(); Tiny other = new Tiny()) {
            tiny.trainer().epochs(1).batchSize(6).output(output).listener(new TrainingListener() {
                @Override
                public void onStep(StepMetrics metrics) {
                    for (RunStart start : RunStart.values()) {
                        refusals.add(assertThrows(ConfigurationException.class, () -> other.trainer()
                                .output(output).start(start).build().train(EXAMPLES)).getMessage());
                    }
                }
            }).build().train(EXAMPLES);
        }
        assertEquals(6, refusals.size());
        for (String refusal : refusals) {
            assertTrue(refusal.startsWith(output + " is being written to by this process since "), refusal);
        }
        assertEquals(RUN, names(output));
        assertEquals(2, linesOf(output.resolve("metrics.jsonl")));
    }

    @Test
    void otherFilesInTheFolderStay() throws IOException {
        Files.writeString(folder.resolve("notes.txt"), "mine");
        try (Tiny tiny = new Tiny()) {
            tiny.trainer().epochs(1).output(folder).build().train(EXAMPLES);
        }
        assertEquals("mine", Files.readString(folder.resolve("notes.txt")));
        Set<String> expected = new TreeSet<>(RUN);
        expected.add("notes.txt");
        assertEquals(expected, names(folder));
    }

    @Test
    void anExistingModelCardIsKept() throws IOException {
        Files.writeString(folder.resolve("README.md"), "mine");
        try (Tiny tiny = new Tiny()) {
            tiny.trainer().epochs(1).output(folder).build().train(EXAMPLES);
        }
        assertEquals("mine", Files.readString(folder.resolve("README.md")));
    }

    @Test
    void aFileAsOutputFolderIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "mine");
        try (Tiny tiny = new Tiny()) {
            assertTrue(assertThrows(ConfigurationException.class, () -> tiny.trainer().output(file).build()
                    .train(EXAMPLES)).getMessage().contains("is a file"));
            UncheckedIOException below = assertThrows(UncheckedIOException.class, () -> tiny.trainer()
                    .output(file.resolve("run")).build().train(EXAMPLES));
            assertTrue(below.getMessage().startsWith("cannot write to the output folder " + file.resolve("run")));
        }
    }

    @Test
    void aCancelledTrainingLeavesAUsableAdapter() throws IOException {
        Cancellation cancellation = new Cancellation();
        try (Tiny tiny = new Tiny()) {
            TrainingResult result = tiny.trainer().learningRate(0.01).epochs(100).batchSize(4)
                    .output(folder.resolve("run")).cancellation(cancellation).listener(new TrainingListener() {
                        @Override
                        public void onStep(StepMetrics metrics) {
                            if (metrics.step() == 2) {
                                cancellation.cancel();
                            }
                        }
                    }).build().train(EXAMPLES);
            assertTrue(result.cancelled());
            Set<String> names = names(folder.resolve("run"));
            assertTrue(names.remove("checkpoint-2"), "there is nothing to resume from");
            assertEquals(RUN, names);
            assertEquals(2, linesOf(folder.resolve("run/metrics.jsonl")));
            try (PeftModel loaded = PeftModel.load(tiny.base, folder.resolve("run"))) {
                assertArrayEquals(Arrays.toFloats(tiny.model.trainableParameters().get(0).value()),
                        Arrays.toFloats(loaded.trainableParameters().get(0).value()));
            }
        }
    }

    @Test
    void aFailedTrainingLeavesNoAdapter() throws IOException {
        try (Tiny tiny = new Tiny()) {
            Arrays.write(tiny.model.trainableParameters().get(0).value(), 0, new float[] {Float.NaN}, 0, 1);
            Path output = folder.resolve("at-once");
            assertThrows(ConfigurationException.class, () -> tiny.trainer().output(output).build()
                    .train(EXAMPLES));
            assertEquals(Set.of(), names(output));
        }
        try (Tiny tiny = new Tiny()) {
            Path output = folder.resolve("later");
            assertThrows(ConfigurationException.class, () -> tiny.trainer().output(output)
                    .listener(new TrainingListener() {
                        @Override
                        public void onStep(StepMetrics metrics) {
                            Arrays.write(tiny.model.trainableParameters().get(0).value(), 0, new float[] {Float.NaN}, 0,
                                    1);
                        }
                    }).build().train(EXAMPLES));
            assertEquals(Set.of("metrics.jsonl", "run.json", "training.html"), names(output));
        }
    }

    @Test
    void nothingIsCreatedForInvalidExamples() {
        Path output = folder.resolve("run");
        try (Tiny tiny = new Tiny()) {
            assertThrows(ConfigurationException.class, () -> tiny.trainer().output(output).build()
                    .train(List.of(Tiny.unsupervised(4))));
        }
        assertFalse(Files.exists(output));
    }

    @Test
    void unwritableMetricsDoNotStopTheTraining() throws IOException {
        List<String> written = new ArrayList<>();
        Writer full = new Writer() {
            @Override
            public void write(char[] chars, int offset, int length) throws IOException {
                if (!written.isEmpty()) {
                    throw new IOException("No space left on device");
                }
                written.add(new String(chars, offset, length));
            }

            @Override
            public void flush() {
            }

            @Override
            public void close() throws IOException {
                throw new IOException("No space left on device");
            }
        };
        Path output = folder.resolve("run");
        List<String> log = LogLines.of(() -> {
            try (Tiny tiny = new Tiny(); MetricsFile metrics = new MetricsFile(folder.resolve("m"), full, false)) {
                tiny.trainer().epochs(1).batchSize(4).output(output).listener(metrics)
                        .logProgress(false).build().train(EXAMPLES);
            }
        });
        assertEquals(1, written.size());
        assertEquals(RUN, names(output));
        assertEquals(List.of("m ends here, the training continues: No space left on device",
                "cannot close " + folder.resolve("m") + ": No space left on device"),
                log.stream()
                        .map(line -> line.replaceFirst(".*(?=(" + folder + "/m ends|cannot close))", "").replace(
                                folder + "/m ends",
                                "m ends"))
                        .toList());
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return new TreeSet<>(entries.map(path -> path.getFileName().toString()).toList());
        }
    }
}
