package io.peft4j.models.hub;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Keeps what a listener hears. */
final class Recorder implements DownloadListener {
    final List<String> started = new CopyOnWriteArrayList<>();
    final List<String> finished = new CopyOnWriteArrayList<>();
    final List<String> notes = new CopyOnWriteArrayList<>();
    final List<Long> done = new CopyOnWriteArrayList<>();

    @Override
    public void started(String file, String from, long totalBytes) {
        started.add(file + " " + totalBytes);
    }

    @Override
    public void progress(String file, long doneBytes, long totalBytes) {
        done.add(doneBytes);
    }

    @Override
    public void finished(String file, Path path) {
        finished.add(file);
    }

    @Override
    public void note(String text) {
        notes.add(text);
    }
}
