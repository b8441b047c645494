package io.peft4j.spark;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a worker trains: a folder of its machine, which for the first worker follows one on shared storage. It begins
 * with the checkpoints there; each new one is copied there, and in the end the adapter.
 *
 * @param folder a temporary folder of this worker
 * @param shared the folder that all see
 * @param checkpointEverySteps updates between two checkpoints
 * @param progress gets each update
 */
record RunPlace(Path folder, SharedFolder shared, int checkpointEverySteps, ProgressAccumulator progress)
        implements
            AutoCloseable {
    /** Checkpoints that stay. */
    static final int KEPT = 2;
    /** What a resumed training adds to. */
    private static final List<String> RECORDS = List.of("metrics.jsonl", "run.json");
    private static final Logger LOG = LoggerFactory.getLogger(RunPlace.class);

    /** The output folder of the training. */
    Path local() {
        return folder.resolve("output");
    }

    /** Fetches what there is to go on from. */
    void begin() throws IOException {
        Files.createDirectories(local());
        shared.fetch(local(), RECORDS);
        if (shared.checkpoints().isEmpty()) {
            // Metrics of a training that had not come to its first checkpoint.
            for (String name : RECORDS) {
                Files.deleteIfExists(local().resolve(name));
            }
        }
    }

    /** Keeps what was trained. */
    void finish() throws IOException {
        shared.putFiles(local());
    }

    /** Copies checkpoints and tells of updates. */
    TrainingListener follower() {
        return new TrainingListener() {
            @Override
            public boolean failureEndsTraining() {
                // Without its checkpoints a training could not go on elsewhere.
                return true;
            }

            @Override
            public void onStep(StepMetrics step) {
                progress.add(ProgressAccumulator.Progress.of(step));
            }

            @Override
            public void onCheckpoint(long step, Path checkpoint) {
                try {
                    shared.addCheckpoint(checkpoint, KEPT);
                } catch (IOException e) {
                    throw new UncheckedIOException("cannot copy " + checkpoint.getFileName() + " to shared storage: "
                            + e.getMessage(), e);
                }
            }
        };
    }

    @Override
    public void close() {
        AtomicFiles.deleteOrWarn(folder);
        try {
            shared.close();
        } catch (IOException e) {
            LOG.warn("cannot close {}: {}", shared, e.getMessage());
        }
    }
}
