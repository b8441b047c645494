package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Closer;
import io.peft4j.core.io.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folders {@code checkpoint-N} below an output folder, N being the updates done. Each is an adapter folder that
 * also holds what a training needs to go on, and {@value #SUMS}, the checksums of all its files, as {@code sha256sum}
 * writes and checks them. One is filled under another name and then moved, and moved away before it is deleted, so that
 * a folder of this name is always whole. What a killed process leaves under other names is removed by {@link #tidy}.
 *
 * @param output the output folder
 * @param every updates between two of them; 0 for none but at the end of a training that is cancelled
 * @param kept how many of them stay, at least two: where one is damaged, the one before it is used
 */
record Checkpoints(Path output, int every, int kept) {
    /** The checksums. */
    public static final String SUMS = "SHA256SUMS";
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
    private static final Pattern NAME = Pattern.compile("checkpoint-(\\d{1,18})");
    private static final Pattern LEFTOVER = Pattern.compile("\\.checkpoint-\\d+\\.(tmp|old)");

    public Checkpoints {
        require(every, kept);
    }

    /** Checks numbers of updates and checkpoints, also where no output folder is given. */
    public static void require(int every, int kept) {
        if (every < 0 || kept < 2) {
            throw new ConfigurationException("a checkpoint every " + every + " steps, of which " + kept
                    + " are kept: the first must be 0 (none) or more, the second at least 2");
        }
    }

    /** Whether one is due after so many updates. */
    public boolean isDue(long step) {
        return every > 0 && step % every == 0;
    }

    /** The folder of the one after so many updates. */
    public Path folder(long step) {
        return output.resolve("checkpoint-" + step);
    }

    /** All of them, the one with the most updates first. */
    public List<Path> newestFirst() {
        return entries(output).filter(entry -> step(entry) >= 0 && isThere(entry))
                .sorted(Comparator.comparingLong(Checkpoints::step).reversed()).toList();
    }

    private static boolean isThere(Path folder) {
        return Files.isRegularFile(folder.resolve(TrainingState.FILE));
    }

    /** The updates that a checkpoint's name tells; -1 where it is no such name. */
    public static long step(Path folder) {
        Matcher matcher = NAME.matcher(folder.getFileName().toString());
        return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
    }

    private static Stream<Path> entries(Path folder) {
        if (!Files.isDirectory(folder)) {
            return Stream.empty();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return ((List<Path>) entries.toList()).stream();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder + ": " + AtomicFiles.reason(e), e);
        }
    }

    /**
     * Adds one, and removes the oldest where there are too many. A disk that does not take it does not end a training:
     * a warning says so.
     *
     * @param content fills the folder it is given
     * @return whether it is there
     */
    public boolean add(long step, Consumer<Path> content) {
        try {
            write(step, content);
            List<Path> all = newestFirst();
            for (Path old : all.subList(Math.min(kept, all.size()), all.size())) {
                remove(old);
            }
            return true;
        } catch (UncheckedIOException e) {
            LOG.warn("cannot write {}, the training continues: {}", folder(step), e.getMessage());
            return false;
        }
    }

    /**
     * Writes one; does nothing where it is there, as it is for a training that has just been resumed from it.
     *
     * @throws UncheckedIOException when it cannot be written; nothing of it stays
     */
    void write(long step, Consumer<Path> content) {
        Path target = folder(step);
        if (isThere(target)) {
            return;
        }
        Path temporary = output.resolve(".checkpoint-" + step + ".tmp");
        try (Closer half = new Closer()) {
            AtomicFiles.delete(temporary);
            half.add(() -> AtomicFiles.deleteOrWarn(temporary));
            content.accept(temporary);
            AtomicFiles.writeString(temporary.resolve(SUMS), sums(temporary));
            AtomicFiles.moveFolder(temporary, target);
            half.keep();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + target + ": " + AtomicFiles.reason(e), e);
        }
    }

    private static String sums(Path folder) throws IOException {
        try (Stream<Path> entries = Files.walk(folder)) {
            return entries.filter(Files::isRegularFile).sorted().map(file -> Sha256.of(file) + "  "
                    + folder.relativize(file).toString().replace('\\', '/') + "\n").collect(Collectors.joining());
        }
    }

    /**
     * Compares a checkpoint's files with their checksums.
     *
     * @throws FileFormatException when one is damaged or missing
     * @throws UncheckedIOException when one cannot be read
     */
    public static void verify(Path folder) {
        TrainingState.load(folder);
        for (String line : sumsOf(folder).lines().toList()) {
            int gap = line.indexOf("  ");
            Path file = folder.resolve(gap < 0 ? SUMS : line.substring(gap + 2)).normalize();
            if (gap < 0 || !file.startsWith(folder.normalize())) {
                throw new FileFormatException(folder.resolve(SUMS), "is damaged: " + line);
            }
            if (!Files.isRegularFile(file)) {
                throw new FileFormatException(file, "is missing, though " + SUMS + " lists it");
            }
            if (!Sha256.of(file).equals(line.substring(0, gap))) {
                throw new FileFormatException(file, "is damaged: its checksum is not the one in " + SUMS);
            }
        }
        for (String needed : List.of(TrainingState.FILE, OptimizerFile.FILE)) {
            sumOf(folder, needed);
        }
    }

    /** The checksum that a checkpoint has for a file. */
    public static String sumOf(Path folder, String file) {
        return sumsOf(folder).lines().filter(line -> line.endsWith("  " + file)).findFirst()
                .orElseThrow(() -> new FileFormatException(folder.resolve(SUMS), "has no checksum of " + file))
                .split(" ", 2)[0];
    }

    private static String sumsOf(Path folder) {
        Path file = folder.resolve(SUMS);
        if (!Files.isRegularFile(file)) {
            throw new FileFormatException(file, "is missing, so the checkpoint is not whole");
        }
        try {
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new FileFormatException(file, "is damaged: not a text file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** Removes those after so many updates: a training that resumes there writes them again. */
    public void removeAfter(long step) {
        newestFirst().stream().filter(folder -> step(folder) > step).forEach(this::remove);
    }

    /** Removes what processes that were killed have left: half written and half deleted checkpoints. */
    void tidy() {
        entries(output).filter(entry -> LEFTOVER.matcher(entry.getFileName().toString()).matches()
                || step(entry) >= 0 && !isThere(entry) && Files.exists(entry.resolve(OptimizerFile.FILE)))
                .forEach(AtomicFiles::deleteOrWarn);
    }

    private void remove(Path folder) {
        Path aside = output.resolve("." + folder.getFileName() + ".old");
        AtomicFiles.deleteOrWarn(aside);
        try {
            Files.move(folder, aside, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            LOG.warn("cannot remove {}: {}", folder, AtomicFiles.reason(e));
        }
        AtomicFiles.deleteOrWarn(aside);
    }
}
