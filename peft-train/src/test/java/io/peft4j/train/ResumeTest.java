package io.peft4j.train;

import static io.peft4j.train.Runs.EXAMPLES;
import static io.peft4j.train.Runs.STEPS;
import static io.peft4j.train.Runs.cancellingAfter;
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

import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.train.Runs.Crash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A training that is interrupted and resumed is the training that was never interrupted, bit for bit. */
class ResumeTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void crashedAndResumedEqualsUninterrupted(KernelProvider kernels) throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        train(new Tiny(0.2, kernels.create(2)), whole, b -> b);
        // Checkpoints after 2, 4, 6, 8: within an epoch, and at the end of one; the crashes lie behind them.
        int checked = 0;
        for (long step : new long[] {3, 5, 8}) {
            assertThrows(Crash.class, () -> train(new Tiny(0.2, kernels.create(2)), crashed,
                    b -> crashingAfter(step).apply(b.checkpointEverySteps(2).start(RunStart.RESUME_OR_START))));
            checked++;
        }
        assertEquals(3, checked);
        TrainingResult result = train(new Tiny(0.2, kernels.create(2)), crashed,
                b -> b.checkpointEverySteps(2).start(RunStart.RESUME));
        assertEquals(6, result.plan().doneSteps());
        assertEquals(STEPS - 6, result.steps().size());
        assertFalse(result.cancelled());
        assertEquals(4, result.evaluations().size());
        assertArrayEquals(weights(whole), weights(crashed));
        assertEquals(metrics(whole), metrics(crashed));
    }

    /** The layer below is computed again, for some of the examples once for all epochs. */
    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void resumedTrainingOfUpperLayersEqualsUninterrupted(KernelProvider kernels) throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        train(Tiny.onLayer(1, 0.2, kernels.create(2)), whole, b -> b);
        assertThrows(Crash.class, () -> train(Tiny.onLayer(1, 0.2, kernels.create(2)), crashed,
                b -> crashingAfter(5).apply(b.checkpointEverySteps(2))));
        TrainingResult result = train(Tiny.onLayer(1, 0.2, kernels.create(2)), crashed,
                b -> b.start(RunStart.RESUME));
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
        UnaryOperator<TrainerBuilder> packed = b -> b.packing(packing).packTokens(tokens);
        train(whole, packed);
        assertThrows(Crash.class, () -> train(crashed, b -> crashingAfter(3).apply(packed.apply(b)
                .checkpointEverySteps(2))));
        TrainingResult result = train(crashed, b -> packed.apply(b).start(RunStart.RESUME));
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
        TrainingResult result = resume(cancelled);
        assertEquals(step, result.plan().doneSteps());
        assertArrayEquals(weights(whole), weights(cancelled));
        assertEquals(expected.evaluations(), result.evaluations());
        assertEquals(expected.finalTrainLoss(), result.finalTrainLoss());
        assertEquals(metrics(whole), metrics(cancelled));
        assertTrue(result.toString().startsWith("trained 9 of 9 steps"), result.toString());
    }

    @Test
    void aStoppedModelCanBeTrainedOn() throws IOException {
        Path whole = folder.resolve("whole");
        Path stopped = folder.resolve("stopped");
        train(whole, b -> b);
        try (Tiny tiny = new Tiny(0.2)) {
            cancellingAfter(4).apply(Runs.builder(tiny, stopped)).build().train(EXAMPLES);
            Runs.builder(tiny, stopped).start(RunStart.RESUME).build().train(EXAMPLES);
        }
        assertArrayEquals(weights(whole), weights(stopped));
    }

    @Test
    void checkpointsAreAdaptersAndTheNewestAreKept() throws IOException {
        Path output = folder.resolve("run");
        try (Tiny tiny = new Tiny(0.2)) {
            List<float[]> values = new ArrayList<>();
            Runs.builder(tiny, output).epochs(2).checkpointEverySteps(1).keepCheckpoints(3)
                    .listener(new TrainingListener() {
                        @Override
                        public void onStep(StepMetrics metrics) {
                            values.add(tiny.values());
                        }
                    }).build().train(Tiny.examples(12, 1));
            assertEquals(Set.of("checkpoint-4", "checkpoint-5", "checkpoint-6"), checkpoints(output));
            assertEquals(Set.of("adapter_config.json", "adapter_model.safetensors", "optimizer.safetensors",
                    "peft4j_passport.json", "tokenizer.json", "trainer_state.json", "SHA256SUMS"),
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
    void resumingOrStartingBeginsWhereThereIsNoCheckpointYet() throws IOException {
        Path whole = folder.resolve("whole");
        Path fresh = folder.resolve("fresh");
        Path early = folder.resolve("early");
        train(whole, b -> b);
        assertEquals(0, train(fresh, b -> b.start(RunStart.RESUME_OR_START)).plan().doneSteps());
        assertThrows(Crash.class, () -> train(early, crashingAfter(2)));
        // As a crash of the machine leaves it: half a line, half a checkpoint.
        Files.writeString(early.resolve(MetricsFile.NAME), "{\"step\":3,\"ep", StandardOpenOption.APPEND);
        Files.createDirectories(early.resolve(".checkpoint-3.tmp"));
        Files.createDirectories(early.resolve("checkpoint-3"));
        train(early, b -> b.start(RunStart.RESUME_OR_START));
        assertArrayEquals(weights(whole), weights(fresh));
        assertArrayEquals(weights(whole), weights(early));
        assertEquals(metrics(whole), metrics(early));
        assertFalse(names(early).contains(".checkpoint-3.tmp"));
    }

    @Test
    void metricsAfterTheCheckpointAreRemoved() throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        train(whole, b -> b);
        assertThrows(Crash.class, () -> train(crashed, b -> crashingAfter(5).apply(b.checkpointEverySteps(3))));
        Files.writeString(crashed.resolve(MetricsFile.NAME), "{\"step\":6,\"ep", StandardOpenOption.APPEND);
        resume(crashed);
        assertEquals(metrics(whole), metrics(crashed));
        assertArrayEquals(weights(whole), weights(crashed));
    }
}
