package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.AdapterCheckpoint;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.pack.PackOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A training that is interrupted and resumed is the training that was never interrupted, bit for bit. */
class ResumeTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(12, 1);
    private static final List<TokenSequence> HELD = Tiny.examples(4, 2);
    /** Epochs of 3 updates, the last of an epoch smaller, and each of up to 2 batches. */
    private static final int STEPS = 9;

    @TempDir
    private Path folder;

    /** What ends a training in its middle. */
    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static Trainer.Builder builder(Tiny tiny, Path output) {
        return Trainer.builder(tiny.model).epochs(3).batchSize(2).gradientAccumulation(2).learningRate(0.01)
                .schedule(LearningRateSchedule.COSINE).warmupSteps(2).weightDecay(0.01).seed(11)
                .validation(HELD).output(output);
    }

    private static TrainingResult train(Path output, Kernels kernels, UnaryOperator<Trainer.Builder> more) {
        return train(new Tiny(0.2, kernels), output, more);
    }

    private static TrainingResult train(Tiny model, Path output, UnaryOperator<Trainer.Builder> more) {
        try (Tiny tiny = model) {
            return more.apply(builder(tiny, output)).build().train(EXAMPLES.subList(0, 11));
        }
    }

    private static TrainingResult train(Path output, UnaryOperator<Trainer.Builder> more) {
        return train(output, new NaiveKernels(), more);
    }

    private static UnaryOperator<Trainer.Builder> crashingAfter(long step) {
        return builder -> builder.listener(new TrainingListener() {
            @Override
            public void onStep(StepMetrics metrics) {
                if (metrics.step() == step) {
                    throw new Crash();
                }
            }
        });
    }

    private static UnaryOperator<Trainer.Builder> cancellingAfter(long step) {
        Cancellation cancellation = new Cancellation();
        return builder -> builder.cancellation(cancellation).listener(new TrainingListener() {
            @Override
            public void onStep(StepMetrics metrics) {
                if (metrics.step() == step) {
                    cancellation.cancel();
                }
            }
        });
    }

    private static byte[] weights(Path output) throws IOException {
        return Files.readAllBytes(output.resolve(AdapterCheckpoint.WEIGHTS_FILE));
    }

    /** The lines of the metrics without the speed, which differs from run to run. */
    private static List<JsonNode> metrics(Path output) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(output.resolve(RunFolder.METRICS))) {
            ObjectNode node = (ObjectNode) new ObjectMapper().readTree(line);
            node.remove("tokens_per_s");
            lines.add(node);
        }
        return lines;
    }

    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void crashedAndResumedEqualsUninterrupted(KernelProvider kernels) throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        train(whole, kernels.create(2), b -> b);
        // Checkpoints after 2, 4, 6, 8: within an epoch, and at the end of one; the crashes lie behind them.
        int checked = 0;
        for (long step : new long[] {3, 5, 8}) {
            assertThrows(Crash.class, () -> train(crashed, kernels.create(2),
                    b -> crashingAfter(step).apply(b.checkpointEverySteps(2).resume(true))));
            checked++;
        }
        assertEquals(3, checked);
        TrainingResult result = train(crashed, kernels.create(2), b -> b.checkpointEverySteps(2).resume(true));
        assertEquals(6, result.plan().doneSteps());
        assertEquals(STEPS - 6, result.steps().size());
        assertFalse(result.cancelled());
        assertEquals(4, result.evaluations().size());
        assertArrayEquals(weights(whole), weights(crashed));
        assertEquals(metrics(whole), metrics(crashed));
    }

    /** The layer below is computed anew, for some of the examples once for all epochs. */
    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void resumedTrainingOfUpperLayersEqualsUninterrupted(KernelProvider kernels) throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        train(Tiny.onLayer(1, 0.2, kernels.create(2)), whole, b -> b);
        assertThrows(Crash.class, () -> train(Tiny.onLayer(1, 0.2, kernels.create(2)), crashed,
                b -> crashingAfter(5).apply(b.checkpointEverySteps(2).resume(true))));
        TrainingResult result = train(Tiny.onLayer(1, 0.2, kernels.create(2)), crashed, b -> b.resume(true));
        assertEquals(4, result.plan().doneSteps());
        assertArrayEquals(weights(whole), weights(crashed));
        assertEquals(metrics(whole), metrics(crashed));
    }

    @ParameterizedTest
    @EnumSource(PackOptions.Strategy.class)
    void resumedTrainingOfAnyPackingEqualsUninterrupted(PackOptions.Strategy packing) throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        int tokens = packing == PackOptions.Strategy.IN_ORDER ? 0 : 30;
        UnaryOperator<Trainer.Builder> packed = b -> b.packing(packing).packTokens(tokens);
        train(whole, packed);
        assertThrows(Crash.class, () -> train(crashed, b -> crashingAfter(3).apply(packed.apply(b)
                .checkpointEverySteps(2).resume(true))));
        TrainingResult result = train(crashed, b -> packed.apply(b).resume(true));
        assertEquals(2, result.plan().doneSteps());
        assertArrayEquals(weights(whole), weights(crashed));
        assertEquals(metrics(whole), metrics(crashed));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 3, 4, 8})
    void cancelledAndResumedEqualsUninterrupted(long step) throws IOException {
        Path whole = folder.resolve("whole");
        Path cancelled = folder.resolve("cancelled");
        TrainingResult expected = train(whole, b -> b);
        assertTrue(train(cancelled, cancellingAfter(step)).cancelled());
        assertEquals(Set.of("checkpoint-" + step), checkpoints(cancelled));
        TrainingResult result = train(cancelled, b -> b.resume(true));
        assertEquals(step, result.plan().doneSteps());
        assertArrayEquals(weights(whole), weights(cancelled));
        assertEquals(expected.evaluations(), result.evaluations());
        assertEquals(expected.finalTrainLoss(), result.finalTrainLoss());
        assertEquals(metrics(whole), metrics(cancelled));
        assertTrue(result.toString().startsWith("trained 9 of 9 steps"), result.toString());
    }

    @Test
    void checkpointsAreAdaptersAndTheNewestAreKept() throws IOException {
        Path output = folder.resolve("run");
        try (Tiny tiny = new Tiny(0.2)) {
            List<float[]> values = new ArrayList<>();
            builder(tiny, output).epochs(2).checkpointEverySteps(1).keepCheckpoints(3).listener(new TrainingListener() {
                @Override
                public void onStep(StepMetrics metrics) {
                    values.add(tiny.values());
                }
            }).build().train(EXAMPLES);
            assertEquals(Set.of("checkpoint-4", "checkpoint-5", "checkpoint-6"), checkpoints(output));
            assertEquals(Set.of("adapter_config.json", "adapter_model.safetensors", "optimizer.safetensors",
                    "peft4j_passport.json", "tokenizer.json", "trainer_state.json"),
                    names(output.resolve("checkpoint-5")));
            try (PeftModel loaded = PeftModel.load(tiny.base, output.resolve("checkpoint-5"));
                    Tiny other = new Tiny()) {
                for (int i = 0; i < loaded.trainableParameters().size(); i++) {
                    other.model.trainableParameters().get(i).value()
                            .assign(loaded.trainableParameters().get(i).value());
                }
                assertArrayEquals(values.get(4), other.values());
            }
        }
    }

    @Test
    void resumingBeginsAnewWhereThereIsNoCheckpointYet() throws IOException {
        Path whole = folder.resolve("whole");
        Path fresh = folder.resolve("fresh");
        Path early = folder.resolve("early");
        train(whole, b -> b);
        assertEquals(0, train(fresh, b -> b.resume(true)).plan().doneSteps());
        assertThrows(Crash.class, () -> train(early, crashingAfter(2)));
        // As a crash of the machine leaves it: half a line, half a checkpoint.
        Files.writeString(early.resolve(RunFolder.METRICS), "{\"step\":3,\"ep", StandardOpenOption.APPEND);
        Files.createDirectories(early.resolve(".checkpoint-3.tmp"));
        Files.createDirectories(early.resolve("checkpoint-3"));
        train(early, b -> b.resume(true));
        assertArrayEquals(weights(whole), weights(fresh));
        assertArrayEquals(weights(whole), weights(early));
        assertEquals(metrics(whole), metrics(early));
    }

    @Test
    void metricsAfterTheCheckpointAreRemoved() throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        train(whole, b -> b);
        assertThrows(Crash.class, () -> train(crashed, b -> crashingAfter(5).apply(b.checkpointEverySteps(3))));
        Files.writeString(crashed.resolve(RunFolder.METRICS), "{\"step\":6,\"ep",
                StandardOpenOption.APPEND);
        train(crashed, b -> b.resume(true));
        assertEquals(metrics(whole), metrics(crashed));
        assertArrayEquals(weights(whole), weights(crashed));
    }

    @Test
    void aFolderWithCheckpointsIsRefusedUnlessResumed() {
        Path output = folder.resolve("run");
        assertThrows(Crash.class, () -> train(output, b -> crashingAfter(3).apply(b.checkpointEverySteps(2))));
        assertTrue(output.resolve(RunFolder.METRICS).toFile().delete());
        assertMessage("the output folder " + output + " already holds a run (checkpoint-2)",
                () -> train(output, b -> b));
    }

    @Test
    void anAdapterWithoutCheckpointIsNotResumed() {
        Path output = folder.resolve("run");
        train(output, b -> b);
        assertMessage("the output folder " + output + " holds an adapter, but no checkpoint to go on from",
                () -> train(output, b -> b.resume(true)));
    }

    @Test
    void anotherTrainingIsNotResumed() {
        Path output = folder.resolve("run");
        train(output, cancellingAfter(2));
        assertMessage("the training cannot be resumed from " + output.resolve("checkpoint-2") + ", because it is "
                + "another one: epochs was 3 and is 4; learning_rate was 0.01 and is 0.02. Give the same",
                () -> train(output, b -> b.resume(true).epochs(4).learningRate(0.02)));
        List<Function<Trainer.Builder, Trainer.Builder>> changes = List.of(b -> b.batchSize(1),
                b -> b.gradientAccumulation(1), b -> b.schedule(LearningRateSchedule.LINEAR), b -> b.warmupSteps(0),
                b -> b.weightDecay(0), b -> b.maxGradNorm(2), b -> b.seed(12), b -> b.shuffle(false),
                b -> b.sharePrefixes(false), b -> b.packing(PackOptions.Strategy.LENGTH_BUCKETS));
        for (Function<Trainer.Builder, Trainer.Builder> change : changes) {
            assertMessage("the training cannot be resumed", () -> train(output, b -> change.apply(b.resume(true))));
        }
        try (Tiny tiny = new Tiny(0.2)) {
            assertMessage("the training cannot be resumed", () -> builder(tiny, output).resume(true).build()
                    .train(EXAMPLES));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"optimizer.safetensors", "trainer_state.json"})
    void aDamagedCheckpointIsToldAndChangesNothing(String name) throws IOException {
        Path output = folder.resolve("run");
        train(output, cancellingAfter(2));
        Path file = output.resolve("checkpoint-2").resolve(name);
        byte[] good = Files.readAllBytes(file);
        for (int length : new int[] {0, good.length / 2, good.length - 3}) {
            Files.write(file, java.util.Arrays.copyOf(good, length));
            try (Tiny tiny = new Tiny(0.2)) {
                float[] before = tiny.values();
                PeftException e = assertThrows(PeftException.class, () -> builder(tiny, output).resume(true).build()
                        .train(EXAMPLES.subList(0, 11)));
                assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
                assertArrayEquals(before, tiny.values());
            }
        }
    }

    @Test
    void checkpointsNeedAFolderAndSensibleNumbers() {
        try (Tiny tiny = new Tiny()) {
            Trainer.Builder plain = Trainer.builder(tiny.model);
            assertMessage("checkpoints and resuming need an output folder", () -> plain.resume(true).build());
            assertMessage("checkpoints and resuming need an output folder",
                    () -> plain.resume(false).checkpointEverySteps(1).build());
            assertMessage("a checkpoint every -1 steps", () -> builder(tiny, folder).checkpointEverySteps(-1).build());
            assertMessage("a checkpoint every 0 steps, of which 0 are kept",
                    () -> builder(tiny, folder).keepCheckpoints(0).build());
        }
    }

    @Test
    void aFailedCheckpointDoesNotStopTheTraining() throws IOException {
        Path whole = folder.resolve("whole");
        Path blocked = folder.resolve("blocked");
        train(whole, b -> b);
        // A folder that is not empty cannot be replaced, and stands for a disk that takes no checkpoint.
        Files.createDirectories(blocked.resolve("checkpoint-2/mine"));
        train(blocked, b -> b.checkpointEverySteps(2));
        assertEquals(Set.of("checkpoint-2", "checkpoint-6", "checkpoint-8"), checkpoints(blocked));
        assertEquals(Set.of("mine"), names(blocked.resolve("checkpoint-2")));
        assertArrayEquals(weights(whole), weights(blocked));
    }

    @Test
    void aFullDiskLeavesNoHalfCheckpoint() throws IOException {
        Checkpoints checkpoints = new Checkpoints(folder, 1, 1);
        checkpoints.add(1, half -> AtomicFiles.writeString(half.resolve(TrainingState.FILE), "{}"));
        checkpoints.add(2, half -> {
            AtomicFiles.writeString(half.resolve(OptimizerFile.FILE), "");
            throw new UncheckedIOException(new IOException("No space left on device"));
        });
        assertEquals(Set.of("checkpoint-1"), names(folder));
        assertEquals(Optional.of(folder.resolve("checkpoint-1")), checkpoints.latest());
    }

    private static Set<String> checkpoints(Path output) throws IOException {
        Set<String> names = names(output);
        names.removeIf(name -> !name.contains("checkpoint"));
        return names;
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return new TreeSet<>(entries.map(path -> path.getFileName().toString()).toList());
        }
    }

    private static void assertMessage(String begin, Runnable action) {
        ConfigurationException e = assertThrows(ConfigurationException.class, action::run);
        assertTrue(e.getMessage().startsWith(begin), e.getMessage());
    }
}
