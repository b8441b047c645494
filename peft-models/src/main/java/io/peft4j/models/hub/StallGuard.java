package io.peft4j.models.hub;

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
    private final Thread watch;
    private volatile long lastRead = System.nanoTime();
    private volatile boolean stalled;

    StallGuard(InputStream in, Duration limit) {
        this.in = in;
        this.limit = limit;
        this.watch = new Thread(this::watch, "peft4j-download-watch");
        watch.setDaemon(true);
        watch.start();
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

    private void watch() {
        try {
            while (System.nanoTime() - lastRead < limit.toNanos()) {
                Thread.sleep(Math.max(1, limit.toMillis() / 10));
            }
            stalled = true;
            in.close();
        } catch (InterruptedException e) {
            // The download is over.
        } catch (IOException e) {
            // The reader gets its own exception.
        }
    }

    /** Ends the watch and closes the body. */
    @Override
    public void close() throws IOException {
        watch.interrupt();
        in.close();
    }
}
