package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.methods.AdamssConfig;
import io.peft4j.methods.AdamssConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The clusters that AdaMSS drops in a training. */
class ClusterAllocationTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(12, 1);
    private static final int CLUSTERS = 6 * TinyNetwork.LAYERS;

    @TempDir
    private Path folder;

    /** Of 12 clusters 9 are the target after update 2, 6 after update 4, then 5, and one less are left. */
    private static AdamssConfigBuilder config() {
        return AdamssConfig.builder().rank(3).clusters(2).targetModules("q_proj", "v_proj", "up_proj")
                .dropsClusters(true).targetClusters(5).firstUpdate(1).lastUpdate(8).interval(2);
    }

    private static Tiny tiny(AdamssConfigBuilder config) {
        return new Tiny(new TinyNetwork(5, false, true), new NaiveKernels(), config.build(), 6);
    }

    /** 12 updates. */
    private static TrainingResult train(Tiny tiny, Path output, boolean resume, UnaryOperator<TrainerBuilder> more) {
        TrainerBuilder trainer = Trainer.builder(tiny.model).epochs(4).batchSize(4).learningRate(0.01).weightDecay(0.1)
                .schedule(LearningRateSchedule.CONSTANT).output(output).checkpointEverySteps(1)
                .start(resume ? RunStart.RESUME_OR_START : RunStart.NEW);
        return more.apply(trainer).build().train(EXAMPLES);
    }

    /** The clusters that each update changes, by their names without those of A and B. */
    private List<Set<String>> changed(AdamssConfigBuilder config, String run) {
        List<Set<String>> changed = new ArrayList<>();
        try (Tiny tiny = tiny(config)) {
            Map<String, float[]> values = new HashMap<>();
            Runnable look = () -> {
                Set<String> moved = new HashSet<>();
                tiny.model.trainableParameters().forEach(parameter -> {
                    float[] now = Arrays.toFloats(parameter.value());
                    if (!java.util.Arrays.equals(now, values.put(parameter.name(), now))) {
                        moved.add(parameter.name().replaceFirst("adamss_[AB]", ""));
                    }
                });
                changed.add(moved);
            };
            look.run();
            train(tiny, folder.resolve(run), false, builder -> builder.listener(new TrainingListener() {
                @Override
                public void onStep(StepMetrics metrics) {
                    look.run();
                }
            }));
        }
        return changed.subList(1, changed.size());
    }

    @Test
    void whatIsDroppedIsTrainedNoFurther() {
        List<Set<String>> changed = changed(config(), "drops");
        assertEquals(List.of(CLUSTERS, CLUSTERS, CLUSTERS, 8, 8, 5, 5, 5, 5, 5, 5, 5),
                changed.stream().map(Set::size).toList());
        for (int i = 1; i < changed.size(); i++) {
            assertTrue(changed.get(i - 1).containsAll(changed.get(i)), "update " + i);
        }
        assertEquals(CLUSTERS, changed(config().dropsClusters(false), "keeps").get(11).size());
    }

    @Test
    void aTargetOfOneCanLeaveNothingToTrain() {
        AdamssConfigBuilder config = config().targetClusters(1).firstUpdate(0).lastUpdate(4).interval(4);
        assertEquals(List.of(CLUSTERS, CLUSTERS, CLUSTERS, CLUSTERS, CLUSTERS, 0, 0, 0, 0, 0, 0, 0),
                changed(config, "none").stream().map(Set::size).toList());
    }

    @Test
    void aResumedTrainingDropsTheSameClusters() throws IOException {
        Path whole = folder.resolve("whole");
        Path broken = folder.resolve("broken");
        try (Tiny tiny = tiny(config())) {
            train(tiny, whole, false, UnaryOperator.identity());
        }
        // From checkpoints after update 3, where the averages are half-way, and after two later ones.
        for (long crash : new long[] {5, 8, 12}) {
            try (Tiny tiny = tiny(config())) {
                assertThrows(Runs.Crash.class, () -> train(tiny, broken, crash > 5, Runs.crashingAfter(crash)));
            }
        }
        try (Tiny tiny = tiny(config())) {
            assertEquals(11, train(tiny, broken, true, UnaryOperator.identity()).plan().doneSteps());
        }
        for (String file : List.of(AdapterCheckpoint.CONFIG_FILE, AdapterCheckpoint.WEIGHTS_FILE)) {
            assertArrayEquals(Files.readAllBytes(whole.resolve(file)), Files.readAllBytes(broken.resolve(file)), file);
        }
    }
}
