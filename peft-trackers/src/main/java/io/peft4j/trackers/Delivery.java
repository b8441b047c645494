package io.peft4j.trackers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings one training to one tracker on a thread of its own. The thread that trains only puts rows into a queue: a
 * tracker that is slow gets several at once, and one that fails is told of once and asked no more.
 */
final class Delivery {
    private static final Logger LOG = LoggerFactory.getLogger(TrackingListener.class);
    private static final int ROWS_AT_ONCE = 500;

    private final Tracker tracker;
    private final BlockingQueue<Object> queue = new LinkedBlockingQueue<>();
    private final Thread thread;
    private volatile boolean failed;

    Delivery(Tracker tracker, RunDescription run) {
        this.tracker = tracker;
        this.thread = new Thread(() -> deliver(run), "peft4j-tracker-" + tracker.name());
        thread.setDaemon(true);
        thread.start();
    }

    void log(MetricRow row) {
        if (!failed) {
            queue.add(row);
        }
    }

    /**
     * Brings the rest.
     *
     * @param patience how long to wait for the tracker; what it does later is lost when the process ends
     */
    void end(RunEnd end, Duration patience) {
        queue.add(end);
        boolean interrupted = false;
        try {
            thread.join(patience.toMillis());
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (thread.isAlive()) {
            LOG.warn("the tracker {} did not take the rest of the run within {} s; the adapter is saved all the same",
                    tracker.name(), patience.toSeconds());
            thread.interrupt();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // Trackers call libraries and networks: whatever they throw must not reach the training.
    @SuppressWarnings("checkstyle:IllegalCatch")
    private void deliver(RunDescription description) {
        try {
            TrackedRun run = tracker.begin(description);
            List<MetricRow> rows = new ArrayList<>();
            while (true) {
                Object next = queue.take();
                while (next instanceof MetricRow row) {
                    rows.add(row);
                    next = rows.size() < ROWS_AT_ONCE ? queue.poll() : null;
                }
                if (!rows.isEmpty()) {
                    run.log(List.copyOf(rows));
                    rows.clear();
                }
                if (next instanceof RunEnd end) {
                    run.end(end);
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception | LinkageError e) {
            failed = true;
            queue.clear();
            LOG.warn("the tracker {} is left out from here on, the training continues: {}", tracker.name(), reason(e));
        }
    }

    private static String reason(Throwable e) {
        Throwable deepest = e;
        while (deepest.getCause() != null && deepest.getCause() != deepest) {
            deepest = deepest.getCause();
        }
        String message = deepest.getMessage() == null ? "" : ": " + deepest.getMessage().strip().lines().findFirst()
                .orElse("");
        return deepest.getClass().getSimpleName() + message;
    }
}
