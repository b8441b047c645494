package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folders {@code checkpoint-N} below an output folder, N being the updates done. Each is an adapter folder that
 * also holds what a training needs to go on. One is filled under another name and then moved, so that a folder of this
 * name is always complete.
 *
 * @param output the output folder
 * @param every updates between two of them; 0 for none but at the end of a training that is cancelled
 * @param kept how many of them stay
 */
record Checkpoints(Path output, int every, int kept) {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
    private static final Pattern NAME = Pattern.compile("checkpoint-(\\d{1,18})");

    Checkpoints {
        if (every < 0 || kept < 1) {
            throw new ConfigurationException("a checkpoint every " + every + " steps, of which " + kept
                    + " are kept: the first must be 0 (none) or more, the second at least 1");
        }
    }

    /** Whether one is due after so many updates. */
    boolean isDue(long step) {
        return every > 0 && step % every == 0;
    }

    /** The one with the most updates. */
    Optional<Path> latest() {
        List<Path> all = all();
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
    }

    /** All of them, the one with the most updates last. */
    List<Path> all() {
        if (!Files.isDirectory(output)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(output)) {
            return entries.filter(entry -> step(entry) >= 0 && isComplete(entry))
                    .sorted(Comparator.comparingLong(Checkpoints::step)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + output + ": " + e.getMessage(), e);
        }
    }

    private static boolean isComplete(Path folder) {
        return Files.isRegularFile(folder.resolve(TrainingState.FILE));
    }

    private static long step(Path folder) {
        Matcher matcher = NAME.matcher(folder.getFileName().toString());
        return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
    }

    /**
     * Adds one, and removes the oldest where there are too many. A disk that does not take it does not end a training:
     * a warning says so.
     *
     * @param content fills the folder it is given
     */
    void add(long step, Consumer<Path> content) {
        Path target = output.resolve("checkpoint-" + step);
        if (isComplete(target)) {
            return;
        }
        Path temporary = output.resolve(".checkpoint-" + step + ".tmp");
        try {
            remove(temporary);
            content.accept(temporary);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            List<Path> all = all();
            for (Path old : all.subList(0, Math.max(0, all.size() - kept))) {
                remove(old);
            }
        } catch (IOException | UncheckedIOException e) {
            LOG.warn("cannot write {}; the training goes on", target, e);
            removeQuietly(temporary);
        }
    }

    private static void removeQuietly(Path folder) {
        try {
            remove(folder);
        } catch (IOException e) {
            LOG.warn("cannot remove {}", folder, e);
        }
    }

    private static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        // The state goes first: a folder without it counts as no checkpoint.
        Files.deleteIfExists(folder.resolve(TrainingState.FILE));
        try (Stream<Path> entries = Files.walk(folder)) {
            for (Path entry : (List<Path>) entries.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(entry);
            }
        }
    }
}
