package io.peft4j.cloud.jobs;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The files that a cloud has put into a folder. */
final class Channel {
    private static final List<String> LINES = List.of(".jsonl", ".json", ".ndjson");

    private Channel() {
    }

    /** The files below a folder by name, without those that are hidden or that mark a complete download. */
    static List<Path> files(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).filter(file -> isVisible(folder.relativize(file))).sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder + ": " + AtomicFiles.reason(e), e);
        }
    }

    private static boolean isVisible(Path file) {
        for (Path part : file) {
            if (part.toString().startsWith(".") || part.toString().startsWith("_")) {
                return false;
            }
        }
        return true;
    }

    /**
     * One file of data: the one that is there, or several of JSON lines one behind the other.
     *
     * @param what what it is, for messages
     * @throws ConfigurationException when there is none, or several that cannot be joined
     */
    static Path oneFile(List<Path> files, String what) {
        if (files.isEmpty()) {
            throw new ConfigurationException(what + " holds no file");
        }
        if (files.size() == 1) {
            return files.get(0);
        }
        List<Path> others = files.stream().filter(file -> LINES.stream().noneMatch(file.toString()::endsWith)).toList();
        if (!others.isEmpty()) {
            throw new ConfigurationException(what + " holds " + files.size() + " files, which are joined only where "
                    + "all are JSON lines (" + String.join(", ", LINES) + "); " + others.get(0).getFileName()
                    + " is not");
        }
        try {
            Path joined = Files.createTempFile("peft4j-data-", ".jsonl");
            joined.toFile().deleteOnExit();
            AtomicFiles.write(joined, out -> {
                for (Path file : files) {
                    copyLines(file, out);
                }
            });
            return joined;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot join the files of " + what + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** Two files whose first lacks its last line break would make one line of two. */
    private static void copyLines(Path file, OutputStream out) throws IOException {
        Files.copy(file, out);
        out.write('\n');
    }

    /** The model in a folder: the folder itself, its one GGUF file, or that in its only folder. */
    static Path model(Path folder) {
        if (Files.isRegularFile(folder.resolve("config.json"))) {
            return folder;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            List<Path> seen = entries.filter(entry -> isVisible(entry.getFileName())).sorted().toList();
            List<Path> weights = seen.stream().filter(entry -> entry.toString().endsWith(".gguf")).toList();
            if (weights.size() == 1) {
                return weights.get(0);
            }
            return seen.size() == 1 && Files.isDirectory(seen.get(0)) ? model(seen.get(0)) : folder;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder + ": " + AtomicFiles.reason(e), e);
        }
    }
}
