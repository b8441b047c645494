package io.peft4j.cloud;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.internal.AtomicFiles;
import io.peft4j.core.io.internal.Sha256;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Brings what a training has left in its folder to where the cloud looks for it.
 *
 * @param run the output folder of the training
 */
record Delivery(Path run) {
    /** What tells of the training, and is no part of the adapter. */
    private static final Set<String> RECORDS = Set.of("metrics.jsonl", "training.html", "run.json");

    /**
     * Copies the adapter, its configuration last, so that a folder with half of it is none; then compares.
     *
     * @throws UncheckedIOException when the folder does not take it
     * @throws FileFormatException when what stands there is not what was copied
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
                throw new FileFormatException(copy, "is not what was written there: its checksum differs");
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

    /** An adapter without a checkpoint is the end of an earlier run: in the way of one that makes it again. */
    void removeFinished() {
        if (!AdapterCheckpoint.isAdapter(run)) {
            return;
        }
        try (Stream<Path> entries = Files.list(run)) {
            if (entries.anyMatch(entry -> entry.getFileName().toString().startsWith("checkpoint-"))) {
                return;
            }
            for (String name : List.of(AdapterCheckpoint.CONFIG_FILE, AdapterCheckpoint.WEIGHTS_FILE)) {
                Files.deleteIfExists(run.resolve(name));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot begin in " + run + ": " + AtomicFiles.reason(e), e);
        }
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
