package io.peft4j.train;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.train.parallel.WorkerCollective;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The checkpoint that a training resumes from, for all of its workers: only the first one has the output folder, and
 * sends round what a training needs to go on.
 *
 * @param folder the checkpoint, empty for a training from the beginning
 * @param copied whether it is this worker's copy
 * @param finished whether the training had come to its end
 */
record SharedCheckpoint(Optional<Path> folder, boolean copied, boolean finished) implements AutoCloseable {
    private static final List<String> FILES = List.of(TrainingState.FILE, OptimizerFile.FILE, Checkpoints.SUMS);
    private static final int BLOCK = 16 << 20;
    private static final byte[] NOTHING = new byte[0];

    /** A training from the beginning. */
    public static final SharedCheckpoint NONE = new SharedCheckpoint(Optional.empty(), false, false);

    /** Sends the first worker's checkpoint round, if there is one. */
    public static SharedCheckpoint of(WorkerCollective workers, Optional<Path> own, boolean ended) {
        if (workers.count() == 1) {
            return new SharedCheckpoint(own, false, ended);
        }
        byte[] has = workers.gather(new byte[] {(byte) (own.isPresent() ? 1 : 0), (byte) (ended ? 1 : 0)}).get(0);
        if (has[0] == 0) {
            return NONE;
        }
        boolean finished = has[1] == 1;
        try {
            if (workers.rank() == 0) {
                for (String name : FILES) {
                    send(workers, own.orElseThrow().resolve(name));
                }
                return new SharedCheckpoint(own, false, finished);
            }
            SharedCheckpoint copy = new SharedCheckpoint(Optional.of(Files.createTempDirectory("peft4j-checkpoint")),
                    true, finished);
            for (String name : FILES) {
                receive(workers, copy.folder.orElseThrow().resolve(name));
            }
            return copy;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot share the checkpoint: " + AtomicFiles.reason(e), e);
        }
    }

    /** Where the training stood there. */
    public Optional<TrainingState> state() {
        return folder.map(TrainingState::load);
    }

    private static void send(WorkerCollective workers, Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] next = in.readNBytes(BLOCK);
            while (next.length > 0) {
                workers.gather(next);
                next = in.readNBytes(BLOCK);
            }
            workers.gather(NOTHING);
        }
    }

    private static void receive(WorkerCollective workers, Path file) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            byte[] next = workers.gather(NOTHING).get(0);
            while (next.length > 0) {
                out.write(next);
                next = workers.gather(NOTHING).get(0);
            }
        }
    }

    @Override
    public void close() {
        if (copied) {
            AtomicFiles.deleteOrWarn(folder.orElseThrow());
        }
    }
}
