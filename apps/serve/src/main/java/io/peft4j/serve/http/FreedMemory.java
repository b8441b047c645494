package io.peft4j.serve.http;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.measure.ProcessUsage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives memory back to the system that long requests have used, when there have been none for a while. By itself Java
 * keeps what its heap has grown to, and the C library what lies between memory in use.
 */
final class FreedMemory implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FreedMemory.class);
    private static final long LOOK_SECONDS = 3;
    private static final long QUIET_SECONDS = 6;
    /** A collection of all memory stops the server for a moment, so it must be worth that. */
    private static final long MUCH = 32L << 20;
    /** Java's serial collector gives nothing back the first time, and all only the fourth time in a row. */
    private static final int COLLECTIONS = 4;

    private final LongRequests requests;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread made = new Thread(work, "peft4j-memory");
        made.setDaemon(true);
        return made;
    });
    /** Turns that had begun, and memory that was resident, when memory was given back last. */
    private long begun;
    private long resident = Long.MAX_VALUE;

    FreedMemory(LongRequests requests) {
        this.requests = requests;
        thread.scheduleWithFixedDelay(this::look, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
    }

    private void look() {
        long now = resident();
        // What is resident before the first long request belongs to the server.
        resident = requests.begun() == 0 ? now : resident;
        if (requests.begun() > begun && requests.isQuietFor(QUIET_SECONDS) && now > resident + MUCH) {
            begun = requests.begun();
            for (int i = 0; i < COLLECTIONS; i++) {
                System.gc();
            }
            NativeMemory.trim();
            resident = resident();
            LOG.debug("resident memory after long requests: {} MB, {} MB of it kept", now >> 20, resident >> 20);
        }
    }

    private static long resident() {
        return ProcessUsage.residentBytes().orElse(0);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
