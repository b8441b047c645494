package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.lora.AdaLoraConfig;
import io.peft4j.lora.LoraConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** AdaLoRA's budget in a training. */
class RankAllocationTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(12, 1);

    private static AdaLoraConfig.Builder config() {
        return AdaLoraConfig.builder().initialRank(4).targetRank(2).warmup(2).finish(3).interval(2)
                .lora(LoraConfig.builder().alpha(16).targetModules("q_proj", "v_proj", "up_proj").build());
    }

    private static TinyModel base() {
        return new TinyModel(new TinyNetwork(5, false, false));
    }

    /** 12 updates. */
    private static TrainingResult train(PeftModel model, Path output, long crashAfter, boolean resume) {
        TrainerBuilder trainer = Trainer.builder(model).epochs(4).batchSize(4).learningRate(0.05).output(output)
                .checkpointEverySteps(1).start(resume ? RunStart.RESUME_OR_START : RunStart.NEW);
        return Runs.crashingAfter(crashAfter).apply(trainer).build().train(EXAMPLES);
    }

    @Test
    void prunedRanksAreCutFromTheFile(@TempDir Path folder) {
        try (TinyModel base = base(); PeftModel model = PeftModel.of(base, config().build(), new SplittableRandom(1))) {
            train(model, folder, -1, false);
            AdaLoraConfig trained = (AdaLoraConfig) model.adapter(PeftModel.DEFAULT_ADAPTER).config();
            assertEquals(12, trained.totalSteps().getAsInt());
            long left = trained.rankPattern().orElseThrow().kept().values().stream()
                    .flatMap(List::stream).filter(kept -> kept).count();
            assertEquals(6 * 2, left);
            try (PeftModel loaded = PeftModel.load(base, folder);
                    TrainingPasses ours = TrainingPasses.of(model);
                    TrainingPasses theirs = TrainingPasses.of(loaded)) {
                assertTrue(loaded.trainableParameterCount() < model.trainableParameterCount());
                // What is cut was multiplied by zero; sums of fewer terms round differently.
                assertArrayEquals(ours.evaluation(PackedBatch.of(EXAMPLES), Pass::sequenceNegativeLogLikelihoods),
                        theirs.evaluation(PackedBatch.of(EXAMPLES), Pass::sequenceNegativeLogLikelihoods), 1e-4);
            }
        }
    }

    @Test
    void aResumedTrainingCutsTheSameRanks(@TempDir Path folder) throws IOException {
        Path whole = folder.resolve("whole");
        Path broken = folder.resolve("broken");
        try (TinyModel base = base()) {
            try (PeftModel model = PeftModel.of(base, config().build(), new SplittableRandom(1))) {
                train(model, whole, -1, false);
            }
            for (long crash : new long[] {5, 10, 11}) {
                try (PeftModel model = PeftModel.of(base, config().build(), new SplittableRandom(1))) {
                    assertThrows(Runs.Crash.class, () -> train(model, broken, crash, crash > 5));
                }
            }
            try (PeftModel model = PeftModel.of(base, config().build(), new SplittableRandom(1))) {
                train(model, broken, -1, true);
            }
        }
        for (String file : List.of(AdapterCheckpoint.CONFIG_FILE, AdapterCheckpoint.WEIGHTS_FILE)) {
            assertArrayEquals(Files.readAllBytes(whole.resolve(file)), Files.readAllBytes(broken.resolve(file)), file);
        }
    }

    /** As where only the save was missing. */
    @Test
    void aTrainingResumedAtItsEndSavesTheSameRanks(@TempDir Path folder) throws IOException {
        byte[] config;
        byte[] weights;
        try (TinyModel base = base()) {
            try (PeftModel model = PeftModel.of(base, config().build(), new SplittableRandom(1))) {
                train(model, folder, -1, false);
                config = Files.readAllBytes(folder.resolve(AdapterCheckpoint.CONFIG_FILE));
                weights = Files.readAllBytes(folder.resolve(AdapterCheckpoint.WEIGHTS_FILE));
                Files.delete(folder.resolve(AdapterCheckpoint.CONFIG_FILE));
                // The same model may go on, too.
                assertEquals(12, train(model, folder, -1, true).plan().doneSteps());
                assertArrayEquals(config, Files.readAllBytes(folder.resolve(AdapterCheckpoint.CONFIG_FILE)));
            }
            Files.delete(folder.resolve(AdapterCheckpoint.CONFIG_FILE));
            try (PeftModel model = PeftModel.of(base, config().build(), new SplittableRandom(1))) {
                train(model, folder, -1, true);
            }
        }
        assertArrayEquals(config, Files.readAllBytes(folder.resolve(AdapterCheckpoint.CONFIG_FILE)));
        assertArrayEquals(weights, Files.readAllBytes(folder.resolve(AdapterCheckpoint.WEIGHTS_FILE)));
    }

    /** The next training has a schedule of its own, and trains all ranks: none may be missing in a checkpoint then. */
    @Test
    void anotherTrainingStartsWithAllRanksAndItsOwnLength(@TempDir Path folder) {
        try (TinyModel base = base();
                PeftModel model = PeftModel.of(base, config().build(), new SplittableRandom(1));
                TrainingPasses passes = TrainingPasses.of(model)) {
            train(model, folder, -1, false);
            double[] trained = passes.evaluation(PackedBatch.of(EXAMPLES), Pass::sequenceNegativeLogLikelihoods);
            Adapter adapter = model.adapter(PeftModel.DEFAULT_ADAPTER);
            adapter.training(20).close();
            AdaLoraConfig config = (AdaLoraConfig) adapter.config();
            assertEquals(20, config.totalSteps().getAsInt());
            assertTrue(config.rankPattern().isEmpty());
            assertArrayEquals(trained,
                    passes.evaluation(PackedBatch.of(EXAMPLES), Pass::sequenceNegativeLogLikelihoods));
            Path second = folder.resolve("second");
            assertThrows(Runs.Crash.class, () -> train(model, second, 2, false));
            model.saveAdapter(folder.resolve("now"));
            try (PeftModel loaded = PeftModel.load(base, folder.resolve("now"))) {
                assertEquals(model.trainableParameterCount(), loaded.trainableParameterCount());
            }
        }
    }

    @Test
    void anExplicitLengthIsKept() {
        try (TinyModel base = base(); PeftModel model = PeftModel.of(base, config().totalSteps(12).build())) {
            Adapter adapter = model.adapter(PeftModel.DEFAULT_ADAPTER);
            adapter.training(20).close();
            assertEquals(12, ((AdaLoraConfig) adapter.config()).totalSteps().getAsInt());
        }
    }

    @Test
    void schedulesThatDoNotFitTheTrainingAreRefused(@TempDir Path folder) {
        try (TinyModel base = base(); PeftModel model = PeftModel.of(base, config().warmup(9).build())) {
            String message = assertThrows(ConfigurationException.class, () -> train(model, folder, -1, false))
                    .getMessage();
            assertTrue(message.contains("tinit 9"), message);
        }
    }
}
