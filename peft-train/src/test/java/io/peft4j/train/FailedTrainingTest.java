package io.peft4j.train;

import static io.peft4j.train.Runs.EXAMPLES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import io.peft4j.core.LogLines;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.FolderLock;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.train.SideBySideTrainer.Outcome;
import io.peft4j.train.objective.ChatObjective;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Optimizer;
import io.peft4j.train.optimizer.ParameterUpdate;
import io.peft4j.train.runs.RunInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What fails in a training is reported, and leaves the model and its folder free. */
class FailedTrainingTest {
    @TempDir
    private Path folder;

    /** What a follower hears of a training. */
    private static final class Ear implements TrainingListener {
        private final List<Object> told = new ArrayList<>();

        @Override
        public void onFailure(Throwable failure) {
            told.add(failure);
        }

        @Override
        public void onEnd(TrainingResult result) {
            told.add("end");
        }
    }

    @Test
    void aSessionThatIsRefusedForMemoryLeavesTheModelFree() {
        try (Tiny tiny = new Tiny()) {
            AtomicInteger parameters = new AtomicInteger();
            Optimizer refused = parameter -> {
                if (parameters.incrementAndGet() == 2) {
                    throw new ConfigurationException("training takes more than this process may use");
                }
                return AdamW.DEFAULT.of(parameter);
            };
            assertThrows(ConfigurationException.class, () -> TrainingSession.of(tiny.model, refused, 0));
            TrainingSession.of(tiny.model).close();
        }
    }

    @Test
    void anErrorIsToldToAllWhoFollow() {
        try (Tiny tiny = new Tiny()) {
            Ear ear = new Ear();
            AssertionError error = new AssertionError("a client library");
            TrainingListener broken = new TrainingListener() {
                @Override
                public void onStep(StepMetrics metrics) {
                    if (metrics.step() == 2) {
                        throw error;
                    }
                }
            };
            Trainer trainer = tiny.trainer().output(folder.resolve("run")).listener(ear).listener(broken).build();
            assertSame(error, assertThrows(AssertionError.class, () -> trainer.train(EXAMPLES)));
            assertEquals(List.of(error), ear.told);
            assertEquals(RunInfo.State.FAILED, RunInfo.read(folder.resolve("run")).state());
            assertTrue(FolderLock.isFree(folder.resolve("run")));
            tiny.model.leaseForTraining().close();
        }
    }

    @Test
    void aSaveThatFailsIsToldOnceToAllWhoFollow() throws IOException {
        Path run = folder.resolve("run");
        Path kept = EmergencyCheckpoint.of(run).folder();
        try (Tiny tiny = new Tiny()) {
            Ear ear = new Ear();
            TrainingListener inTheWay = new TrainingListener() {
                @Override
                public void onStart(TrainingPlan plan) {
                    try {
                        Files.createDirectories(run.resolve("adapter_model.safetensors"));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            };
            Trainer trainer = tiny.trainer().output(run).listener(ear).listener(inTheWay).build();
            Throwable failure = assertThrows(UncheckedIOException.class, () -> trainer.train(EXAMPLES));
            assertEquals(List.of(failure), ear.told);
            assertEquals(RunInfo.State.FAILED, RunInfo.read(run).state());
        } finally {
            AtomicFiles.delete(kept);
        }
    }

    @Test
    void whatCannotBeClosedKeepsNeitherTheLockNorTheLease() {
        try (Tiny tiny = new Tiny()) {
            Optimizer broken = parameter -> new BrokenUpdate(AdamW.DEFAULT.of(parameter));
            Trainer trainer = tiny.trainer().optimizer(broken).output(folder.resolve("run")).build();
            assertThrows(IllegalStateException.class, () -> trainer.train(EXAMPLES));
            assertTrue(FolderLock.isFree(folder.resolve("run")));
            tiny.trainer().output(folder.resolve("next")).build().train(EXAMPLES);
        }
    }

    private record BrokenUpdate(ParameterUpdate real) implements ParameterUpdate {
        @Override
        public void apply(Kernels kernels, UpdateStep step) {
            real.apply(kernels, step);
        }

        @Override
        public Map<String, INDArray> arrays() {
            return real.arrays();
        }

        @Override
        public void close() {
            real.close();
            throw new IllegalStateException("does not close");
        }
    }

    /** The first pass with rows of several adapters fails, which each of them does alone then. */
    @Test
    void aCommonPassThatFailsEndsNoTraining() {
        List<TrainingResult> expected = sideBySide("as-ever", "none", 0).stream().map(each -> each.result()
                .orElseThrow()).toList();
        List<Outcome> outcomes = sideBySide("failing", "common", 1);
        for (int i = 0; i < expected.size(); i++) {
            TrainingResult found = outcomes.get(i).result().orElseThrow();
            for (int k = 0; k < found.steps().size(); k++) {
                // Sums of f32 in another order.
                assertEquals(expected.get(i).steps().get(k).trainLoss(), found.steps().get(k).trainLoss(), 1e-4);
            }
        }
    }

    /** One training cannot make its update alone either: it is reported, and the others come to their ends. */
    @Test
    void aTrainingThatFailsBySideOfOthersIsToldAndEndsAlone() {
        List<Outcome> outcomes = sideBySide("one", "update of 1", 1);
        assertTrue(outcomes.get(0).result().isPresent() && outcomes.get(2).result().isPresent());
        assertInstanceOf(OutOfMemoryError.class, outcomes.get(1).failure().orElseThrow().getCause());
    }

    private List<Outcome> sideBySide(String name, String what, int from) {
        try (TinyModel base = new TinyModel(new TinyNetwork(5, false, true), new WordTokenizer(
                TinyNetwork.VOCABULARY), new NaiveKernels())) {
            List<PeftModel> models = new ArrayList<>();
            List<Trainer> trainers = new ArrayList<>();
            List<Ear> ears = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int number = i;
                models.add(PeftModel.of(base, LoraConfig.builder().rank(2).targetModules("q_proj").build(),
                        new SplittableRandom(3)));
                ears.add(new Ear());
                Optimizer optimizer = parameter -> new FailingUpdate(AdamW.DEFAULT.of(parameter), () -> {
                    if (what.equals("update of " + number)) {
                        throw new OutOfMemoryError("for one");
                    }
                });
                trainers.add(Trainer.builder(models.get(i)).options(TrainingOptions.of(2, 4, 0.01)).optimizer(optimizer)
                        .output(folder.resolve(name + i)).listener(ears.get(i)).logProgress(false).build());
            }
            AtomicInteger reads = new AtomicInteger();
            List<Outcome> outcomes;
            try (Faults failing = Faults.where(Step.NATIVE, false, step -> what.equals("common") && isPass()
                    && reads.incrementAndGet() == from)) {
                outcomes = SideBySideTrainer.of(trainers).train(EXAMPLES);
            }
            assertEquals(what.equals("common"), reads.get() >= 1, "a pass has failed");
            for (int i = 0; i < 3; i++) {
                assertEquals(outcomes.get(i).failure().isPresent() ? 0 : 1, ears.get(i).told.stream().filter(
                        "end"::equals).count());
                assertEquals(outcomes.get(i).failure().isPresent() ? 1 : 0, ears.get(i).told.stream().filter(
                        Throwable.class::isInstance).count());
                assertTrue(FolderLock.isFree(folder.resolve(name + i)));
            }
            models.forEach(PeftModel::close);
            return outcomes;
        }
    }

    private static boolean isPass() {
        return StackWalker.getInstance().walk(frames -> frames.anyMatch(frame -> frame.getClassName().endsWith(
                ".TrainingPasses")));
    }

    private record FailingUpdate(ParameterUpdate real, Runnable before) implements ParameterUpdate {
        @Override
        public void apply(Kernels kernels, UpdateStep step) {
            before.run();
            real.apply(kernels, step);
        }

        @Override
        public Map<String, INDArray> arrays() {
            return real.arrays();
        }

        @Override
        public void close() {
            real.close();
        }
    }

    @Test
    void noExampleIsLoggedUnlessAskedFor() throws IOException {
        Path data = Files.writeString(folder.resolve("data.jsonl"), "{\"messages\": [{\"role\": \"user\", "
                + "\"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]}\n");
        try (TinyModel base = new TinyModel(new TinyNetwork(5, false, true), new WordTokenizer(
                TinyNetwork.VOCABULARY), new NaiveKernels());
                PeftModel model = PeftModel.of(base, LoraConfig.builder().rank(2).targetModules("q_proj").build(),
                        new SplittableRandom(3))) {
            List<String> lines = LogLines.of(() -> Trainer.builder(model).options(TrainingOptions.of(1, 1, 1e-3))
                    .build().train(new ChatObjective(model), ChatDataset.read(data).examples()));
            assertFalse(lines.isEmpty());
            assertTrue(lines.stream().noneMatch(line -> line.contains("[[")), lines::toString);
        }
    }
}
