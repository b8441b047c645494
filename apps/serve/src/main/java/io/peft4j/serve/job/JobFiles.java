package io.peft4j.serve.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.FolderLock;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.Store;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of a job: its data under names of our own, so that a file which is deleted meanwhile is still there; the
 * run, which is the adapter in the end; adapters on the way.
 */
final class JobFiles {
    private static final Logger LOG = LoggerFactory.getLogger(JobFiles.class);

    private final Store store;
    private final Job job;
    private final Path folder;

    JobFiles(Store store, Job job) {
        this.store = store;
        this.job = job;
        this.folder = store.jobFolder(job.id());
    }

    Path training() {
        return folder.resolve("training_file.jsonl");
    }

    Optional<Path> validation() {
        return job.validationFile().map(id -> folder.resolve("validation_file.jsonl"));
    }

    /** Where the trainer writes. */
    Path run() {
        return folder.resolve("run");
    }

    /** The adapter after so many updates. */
    Path checkpoint(long step) {
        return folder.resolve("checkpoints").resolve("step-" + step);
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    /** What stands for a folder of this job in the database. */
    String relative(Path path) {
        return store.folder().relativize(path).toString().replace('\\', '/');
    }

    /** Text of a report without the place where the server keeps its data. */
    String withoutPlaces(String text) {
        return text.replace(folder + "/", "").replace(folder.toString(), "");
    }

    /**
     * Brings the data into the folder.
     *
     * @return the field whose file is not there any more
     */
    Optional<String> takeData() {
        try {
            Files.createDirectories(folder);
            if (!take(job.trainingFile(), training())) {
                return Optional.of("training_file");
            }
            return validation().isPresent() && !take(job.validationFile().orElseThrow(), validation().get())
                    ? Optional.of("validation_file") : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep the data of the job " + job.id(), e);
        }
    }

    private boolean take(String id, Path target) throws IOException {
        Path content = store.files().content(id);
        if (Files.exists(target)) {
            return true;
        }
        if (!Files.exists(content)) {
            return false;
        }
        try {
            Files.createLink(target, content);
        } catch (FileAlreadyExistsException e) {
            return true;
        } catch (UnsupportedOperationException | IOException e) {
            Files.copy(content, target, StandardCopyOption.REPLACE_EXISTING);
        }
        return true;
    }

    /** The lines that the trainer has written so far of its updates and measurements. */
    List<JsonNode> metrics() {
        Path file = run().resolve("metrics.jsonl");
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> !line.isBlank()).map(Json::stored).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    /**
     * Makes the run fit to be gone on with: one that left an adapter and no checkpoint is begun again.
     *
     * @param check throws where the job is another worker's, while no other process can write to the run
     * @throws FolderLock.InUseException when another process writes to it
     */
    void prepareRun(Runnable check) {
        if (!Files.exists(run())) {
            return;
        }
        try (FolderLock lock = FolderLock.take(run())) {
            check.run();
            if (checkpoints().isEmpty()) {
                entries(run(), name -> !name.equals(FolderLock.FILE)).forEach(AtomicFiles::delete);
            }
        }
    }

    /** Removes what is needed only to go on with the training. */
    void tidyRun() {
        checkpoints().forEach(AtomicFiles::delete);
    }

    private List<Path> checkpoints() {
        return Files.isDirectory(run()) ? entries(run(), name -> name.startsWith("checkpoint-")) : List.of();
    }

    private static List<Path> entries(Path folder, Predicate<String> byName) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> byName.test(entry.getFileName().toString())).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder, e);
        }
    }

    /**
     * Whether no process writes to the run any more. A worker on this host that was thought dead but lives has to
     * notice first that it lost the job; the lock of one on another host is taken away.
     */
    boolean isFree() {
        FolderLock.removeOfOtherHost(run());
        try {
            FolderLock.requireFree(run());
            return true;
        } catch (FolderLock.InUseException e) {
            LOG.info("job {} is waiting: {}", job.id(), e.getMessage());
            return false;
        }
    }

    /** Removes the run of a job that leads to nothing; the checkpoints that it has told of go on to answer. */
    void deleteRun() {
        if (Files.exists(run())) {
            AtomicFiles.delete(run());
        }
    }
}
