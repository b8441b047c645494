package io.peft4j.models.hub;

import io.peft4j.core.engine.BackgroundLoop;
import io.peft4j.core.io.Closer;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/**
 * The body of a response, closed when nothing comes for too long. The JDK's HTTP client limits the time until the
 * headers arrive, and nothing after that: a connection that went dead would block for ever.
 */
final class StallGuard implements AutoCloseable {
    private final InputStream in;
    private final Duration limit;
    private final BackgroundLoop watch;
    private volatile long lastRead = System.nanoTime();
    private volatile boolean stalled;

    /** Takes a body over: where the system refuses a thread that watches it, it is closed. */
    StallGuard(InputStream in, Duration limit) throws IOException {
        this.in = in;
        this.limit = limit;
        try (Closer opened = new Closer()) {
            opened.add(in);
            this.watch = BackgroundLoop.start("peft4j-download-watch", Duration.ofMillis(Math.max(1, limit.toMillis()
                    / 10)), this::watch, failure -> !stalled);
            opened.keep();
        }
    }

    /** Nothing came within the limit. */
    static final class Stalled extends IOException {
        private static final long serialVersionUID = 1L;
    }

    int read(byte[] buffer) throws IOException {
        try {
            int n = in.read(buffer);
            if (!stalled) {
                lastRead = System.nanoTime();
                return n;
            }
        } catch (IOException e) {
            if (!stalled) {
                throw e;
            }
        }
        throw new Stalled();
    }

    /** Whether the next look follows. What closing throws, the reader gets, too. */
    private boolean watch() throws IOException {
        stalled = System.nanoTime() - lastRead >= limit.toNanos();
        if (stalled) {
            in.close();
        }
        return !stalled;
    }

    /** Ends the watch and closes the body. */
    @Override
    public void close() throws IOException {
        watch.interrupt();
        in.close();
    }
}
