package io.peft4j.cloud.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.train.TrainingListener;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a training job of SageMaker leaves. */
class SageMakerTrainingTest {
    @TempDir
    Path root;

    @Test
    void anErrorOfTheJvmLeavesAReason() throws IOException {
        Files.createDirectories(root.resolve("input/config"));
        Files.createDirectories(root.resolve("input/data/training"));
        Files.writeString(root.resolve("input/data/training/rows.jsonl"), "1");
        Files.writeString(root.resolve("input/config/hyperparameters.json"), "{\"model\": \"a/model\"}");
        JobCommands failing = new RecordingCommands() {
            @Override
            public Outcome train(List<String> words, TrainingListener listener) {
                throw new UnsatisfiedLinkError("no library");
            }
        };
        SageMakerTraining training = new SageMakerTraining(root, Map.of(), failing,
                new PrintWriter(new StringWriter()));
        assertThrows(UnsatisfiedLinkError.class, training::run);
        assertEquals("internal error: java.lang.UnsatisfiedLinkError: no library",
                Files.readString(root.resolve("output/failure")).strip());
    }
}
