package io.peft4j.cli;

import io.peft4j.models.hub.DownloadListener;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Shows downloads; several files may come at once. */
final class DownloadProgress implements DownloadListener, AutoCloseable {
    private static final long MB = 1_000_000;

    private final Console console;
    private final Map<String, TerminalProgress> running = new HashMap<>();

    DownloadProgress(Console console) {
        this.console = console;
    }

    @Override
    public synchronized void started(String file, String from, long totalBytes) {
        console.say("Downloading %s%s from %s", file, totalBytes < 0 ? "" : size(totalBytes), from);
        if (totalBytes >= MB) {
            running.put(file, TerminalProgress.of(console, file, 0, totalBytes / MB));
        }
    }

    private static String size(long bytes) {
        return bytes < MB ? " (" + (bytes + 999) / 1000 + " kB)" : " (" + bytes / MB + " MB)";
    }

    @Override
    public synchronized void progress(String file, long doneBytes, long totalBytes) {
        TerminalProgress progress = running.get(file);
        if (progress != null) {
            progress.to(doneBytes / MB, "MB");
        }
    }

    @Override
    public synchronized void finished(String file, Path path) {
        TerminalProgress progress = running.remove(file);
        if (progress != null) {
            progress.close();
        }
    }

    @Override
    public synchronized void note(String text) {
        console.say("%s", text);
    }

    @Override
    public synchronized void close() {
        running.values().forEach(TerminalProgress::close);
        running.clear();
    }
}
