package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Closer;
import io.peft4j.core.io.FolderLock;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.train.runs.RunInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is in the output folder of a training before it begins, and whether that goes with what is asked for.
 *
 * @param checkpoints the folder and its checkpoints
 * @param adapters names of the adapters that are going to be saved there
 * @param start what is asked for
 * @param ifExists what a training that begins does about one that is there
 */
record OutputFolder(Checkpoints checkpoints, List<String> adapters, RunStart start, IfExists ifExists) {
    private static final Logger LOG = LoggerFactory.getLogger(OutputFolder.class);

    private Path path() {
        return checkpoints.output();
    }

    public OutputFolder {
        if (start != RunStart.NEW && ifExists != IfExists.FAIL) {
            throw new ConfigurationException(
                    "IfExists." + ifExists.name() + " is for a training that begins, not for one "
                            + "that is resumed");
        }
    }

    /** This one, or the next free one where that is asked for. */
    public OutputFolder chosen() {
        if (ifExists != IfExists.NEXT) {
            return this;
        }
        Path free = ifExists.choose(path(), folder -> Files.isRegularFile(folder) || in(folder).isTaken());
        return in(free);
    }

    private OutputFolder in(Path folder) {
        return new OutputFolder(new Checkpoints(folder, checkpoints.every(), checkpoints.kept()), adapters, start,
                IfExists.FAIL);
    }

    private boolean isTaken() {
        return signs().findFirst().isPresent() || !FolderLock.isFree(path());
    }

    /**
     * Checks everything that can be checked without a model, and changes nothing.
     *
     * @throws ConfigurationException when the folder is a file, is in use, holds a training and none is to be resumed,
     *     or holds none and one is
     * @throws UncheckedIOException when it cannot be written
     */
    public void check() {
        if (Files.exists(path()) && !Files.isDirectory(path())) {
            throw new ConfigurationException("the output folder " + path() + " is a file; give another name");
        }
        try {
            AtomicFiles.requireWritableFolder(path());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to the output folder " + path() + ": " + e.getMessage()
                    + "; check its permissions and the disk, or give another folder", e);
        }
        FolderLock.requireFree(path());
        requireFitting();
    }

    /** Makes the folder and locks it, checks it again, and removes what a killed training has left half written. */
    public FolderLock take() {
        check();
        try {
            Files.createDirectories(path());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to the output folder " + path() + ": "
                    + AtomicFiles.reason(e), e);
        }
        try (Closer opened = new Closer()) {
            FolderLock lock = opened.add(FolderLock.take(path()));
            requireFitting();
            checkpoints.tidy();
            Stream.concat(Stream.of(path()), adapterFolders().stream()).filter(Files::isDirectory).distinct()
                    .forEach(AtomicFiles::removeLeftovers);
            opened.keep();
            return lock;
        }
    }

    private void requireFitting() {
        if (start == RunStart.NEW && ifExists == IfExists.OVERWRITE) {
            LOG.debug("{} is overwritten, where it holds a training", path());
        } else if (start == RunStart.NEW) {
            requireNoRun();
        } else if (candidates().isEmpty()) {
            requireBeginning();
        }
    }

    private void requireNoRun() {
        signs().findFirst().ifPresent(sign -> {
            throw new ConfigurationException("the output folder " + path() + " already holds a run ("
                    + path().relativize(sign) + "); resume it, give another folder, or say what is to happen: "
                    + IfExists.CHOICES);
        });
    }

    /** What a training has left here. */
    private Stream<Path> signs() {
        return Stream.of(Stream.of(path().resolve(MetricsFile.NAME)), adapterFiles(),
                checkpoints.newestFirst().stream()).flatMap(sign -> sign).filter(Files::exists);
    }

    /** There is nothing to go on from. */
    private void requireBeginning() {
        if (adapterFolders().stream().anyMatch(AdapterCheckpoint::isAdapter)) {
            throw new ConfigurationException("the output folder " + path() + " holds an adapter, but no checkpoint to "
                    + "go on from; give another folder, or load the adapter and train it again");
        }
        if (start == RunStart.RESUME) {
            throw new ConfigurationException(Files.exists(path().resolve(MetricsFile.NAME))
                    ? "the training in " + path() + " ended before its first checkpoint, so there is nothing to go on "
                            + "from; begin it again, in this folder with RunStart.RESUME_OR_START"
                    : "no training to resume in " + path() + "; check the folder, or begin one, with "
                            + "RunStart.RESUME_OR_START where there may be one or not");
        }
    }

    private Stream<Path> adapterFiles() {
        return adapterFolders().stream().flatMap(adapter -> Stream.of(
                adapter.resolve(AdapterCheckpoint.CONFIG_FILE), adapter.resolve(AdapterCheckpoint.WEIGHTS_FILE)));
    }

    /** Where {@link PeftModel#saveAdapter} puts the adapters. */
    public List<Path> adapterFolders() {
        return adapters.stream().map(this::adapterFolder).toList();
    }

    /** Where one of them goes. */
    public Path adapterFolder(String name) {
        return name.equals(PeftModel.DEFAULT_ADAPTER) ? path() : path().resolve(name);
    }

    /** What a training can go on from, that with the most updates first. */
    private List<Path> candidates() {
        List<Path> all = new ArrayList<>(EmergencyCheckpoint.of(path()).checkpoints());
        all.addAll(checkpoints.newestFirst());
        all.sort(Comparator.comparingLong(Checkpoints::step).reversed());
        return all;
    }

    private static boolean isFalling(Path checkpoint) {
        try {
            return TrainingState.load(checkpoint).isFalling();
        } catch (PeftException | UncheckedIOException e) {
            // That it is damaged is said where it is chosen.
            return true;
        }
    }

    /** Whether a training that came to its end is to go on; where one may begin as well, it stays as it is. */
    public boolean isFinished() {
        return start == RunStart.RESUME && RunInfo.read(path()).state() == RunInfo.State.FINISHED;
    }

    /**
     * The last checkpoint that is whole, where the training is to go on, of one that came to its end from before its
     * rate fell if there is one; those that are damaged are named in the log.
     *
     * @throws PeftException when all are damaged
     * @throws UncheckedIOException when the last of them cannot be read
     */
    public Optional<Path> resumePoint() {
        List<Path> candidates = start == RunStart.NEW ? List.of() : candidates();
        if (!candidates.isEmpty() && isFinished()) {
            candidates = candidates.stream().sorted(Comparator.comparing(OutputFolder::isFalling)).toList();
        }
        for (Path candidate : candidates) {
            try {
                Checkpoints.verify(candidate);
                return Optional.of(candidate);
            } catch (PeftException | UncheckedIOException e) {
                if (candidate.equals(candidates.get(candidates.size() - 1))) {
                    throw e;
                }
                LOG.warn("{}; the checkpoint before it is used", e.getMessage());
            }
        }
        return Optional.empty();
    }
}
