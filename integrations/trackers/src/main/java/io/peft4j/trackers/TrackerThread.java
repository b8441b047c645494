package io.peft4j.trackers;

import io.peft4j.core.error.Causes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings one training to one tracker on a thread of its own. The thread that trains only puts rows into a queue: a
 * tracker that is slow gets several at once, and one that fails is told of once and asked no more.
 */
final class TrackerThread {
    private static final Logger LOG = LoggerFactory.getLogger(TrackingListener.class);
    private static final int ROWS_AT_ONCE = 500;
    /** Who has not answered for this share of the patience is waited for as long as makes no difference. */
    private static final int SILENT_SHARE = 4;
    private static final double SHARE_FOR_THE_SILENT = 0.001;

    private final Tracker tracker;
    private final BlockingQueue<Object> queue = new LinkedBlockingQueue<>();
    private final Thread thread;
    private final long begin = System.nanoTime();
    private volatile boolean failed;
    /** Since when the tracker has been at what it was given last; empty while it waits for more. */
    private volatile OptionalLong busySince = OptionalLong.of(begin);

    TrackerThread(Tracker tracker, RunDescription run) {
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
        long now = System.nanoTime();
        boolean silent = busySince.stream().anyMatch(since -> now - since > patience.toNanos() / SILENT_SHARE);
        Duration wait = silent ? shorter(patience, Duration.ofNanos((long) (SHARE_FOR_THE_SILENT * (now - begin))))
                : patience;
        queue.add(end);
        boolean interrupted = false;
        try {
            thread.join(Math.max(1, wait.toMillis()));
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (thread.isAlive()) {
            LOG.warn("the tracker {} {}; the adapter is saved all the same", tracker.name(), silent
                    ? "has not answered for a while and does not get the rest of the run"
                    : "did not take the rest of the run within " + wait.toSeconds() + " s");
            thread.interrupt();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    // Trackers call libraries and networks: whatever they throw must not reach the training.
    @SuppressWarnings("checkstyle:IllegalCatch")
    private void deliver(RunDescription description) {
        try {
            TrackedRun run = tracker.begin(description);
            List<MetricRow> rows = new ArrayList<>();
            while (true) {
                busySince = OptionalLong.empty();
                Object next = queue.take();
                busySince = OptionalLong.of(System.nanoTime());
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
        Throwable deepest = Causes.root(e);
        String message = deepest.getMessage() == null ? "" : ": " + deepest.getMessage().strip().lines().findFirst()
                .orElse("");
        return deepest.getClass().getSimpleName() + message;
    }
}
