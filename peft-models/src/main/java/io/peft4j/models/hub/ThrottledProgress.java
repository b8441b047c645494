package io.peft4j.models.hub;

import java.util.concurrent.TimeUnit;

/** Tells a listener about a growing file, but not for every buffer. */
final class ThrottledProgress {
    private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final DownloadListener listener;
    private final String file;
    private final long total;
    private long last;

    ThrottledProgress(DownloadListener listener, String file, long total) {
        this.listener = listener;
        this.file = file;
        this.total = total;
        this.last = System.nanoTime() - INTERVAL_NANOS;
    }

    void at(long done) {
        long now = System.nanoTime();
        if (now - last >= INTERVAL_NANOS) {
            last = now;
            listener.progress(file, done, total);
        }
    }

    void end(long done) {
        listener.progress(file, done, total);
    }
}
