package io.peft4j.cloud.jobs;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.FolderLock;
import io.peft4j.core.io.Sha256;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings what a training has left in its folder to where the cloud looks for it.
 *
 * @param run the output folder of the training
 */
record ModelUpload(Path run) {
    /** What tells of the training, and is no part of the adapter. */
    private static final Set<String> RECORDS = Set.of("metrics.jsonl", "training.html", "run.json");
    private static final String SUMS = "SHA256SUMS";
    private static final Logger LOG = LoggerFactory.getLogger(ModelUpload.class);

    /**
     * Copies the adapter, its configuration last, so that a folder with half of it is none; then compares.
     *
     * @throws UncheckedIOException when the folder does not take it
     * @throws FileFormatException when the copy differs from the original
     */
    void adapterTo(Path folder) {
        List<Path> files = new ArrayList<>(files().stream()
                .filter(file -> !RECORDS.contains(file.getFileName().toString())).toList());
        Path config = run.resolve(AdapterCheckpoint.CONFIG_FILE);
        files.remove(config);
        files.add(config);
        files.forEach(file -> copy(file, folder));
        for (Path file : files) {
            Path copy = folder.resolve(file.getFileName());
            if (!Sha256.of(copy).equals(Sha256.of(file))) {
                throw new FileFormatException(copy, "is corrupt (checksum mismatch)");
            }
        }
        requireAdapter(folder);
    }

    /** Fails where a folder holds no adapter that can be read. */
    static void requireAdapter(Path folder) {
        AdapterCheckpoint.readConfig(folder);
        SafetensorsFile.open(folder.resolve(AdapterCheckpoint.WEIGHTS_FILE)).close();
    }

    /** Copies metrics, page and state of the training, as far as they are there. */
    void recordsTo(Path folder) {
        files().stream().filter(file -> RECORDS.contains(file.getFileName().toString()))
                .forEach(file -> copy(file, folder));
    }

    /**
     * Makes a folder that the cloud has kept ready for a training to go on in. No other process writes there, so a lock
     * is one of a machine that was taken away. A checkpoint that was kept only in part is put aside. An adapter without
     * a checkpoint is the end of an earlier run, and in the way of one that makes it again.
     */
    void makeReady() {
        if (!Files.isDirectory(run)) {
            return;
        }
        FolderLock.removeOfOtherHost(run);
        try {
            List<Path> checkpoints = checkpoints();
            for (Path checkpoint : checkpoints) {
                if (!isWhole(checkpoint)) {
                    Path aside = checkpoint.resolveSibling(".damaged-" + checkpoint.getFileName() + "-"
                            + System.currentTimeMillis());
                    Files.move(checkpoint, aside);
                    LOG.warn("{} is corrupt (checksum mismatch), moved to {}", checkpoint, aside);
                }
            }
            if (AdapterCheckpoint.isAdapter(run) && checkpoints().isEmpty()) {
                for (String name : List.of(AdapterCheckpoint.CONFIG_FILE, AdapterCheckpoint.WEIGHTS_FILE)) {
                    Files.deleteIfExists(run.resolve(name));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot prepare " + run + ": " + AtomicFiles.reason(e), e);
        }
    }

    private List<Path> checkpoints() throws IOException {
        try (Stream<Path> entries = Files.list(run)) {
            return entries.filter(entry -> entry.getFileName().toString().matches("checkpoint-\\d+")).sorted().toList();
        }
    }

    /** Whether all files are there as the list of their checksums says, in the form that sha256sum checks. */
    private static boolean isWhole(Path checkpoint) throws IOException {
        Path sums = checkpoint.resolve(SUMS);
        if (!Files.isRegularFile(sums)) {
            return false;
        }
        for (String line : new String(Files.readAllBytes(sums), StandardCharsets.ISO_8859_1).lines().toList()) {
            String[] parts = line.split("  ", 2);
            Path file = checkpoint.resolve(parts[parts.length - 1]).normalize();
            if (parts.length < 2 || !file.startsWith(checkpoint.normalize()) || !Files.isRegularFile(file)
                    || !Sha256.of(file).equals(parts[0])) {
                return false;
            }
        }
        return true;
    }

    private List<Path> files() {
        if (!Files.isDirectory(run)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(run)) {
            return entries.filter(Files::isRegularFile).filter(file -> !file.getFileName().toString().startsWith("."))
                    .sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + run + ": " + AtomicFiles.reason(e), e);
        }
    }

    private static void copy(Path file, Path folder) {
        AtomicFiles.write(folder.resolve(file.getFileName()), out -> Files.copy(file, out));
    }
}
