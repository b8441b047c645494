package io.peft4j.trackers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.engine.BackgroundLoop;
import io.peft4j.core.error.Causes;
import io.peft4j.trackers.Tracker.MetricRow;
import io.peft4j.trackers.Tracker.RunDescription;
import io.peft4j.trackers.Tracker.RunEnd;
import io.peft4j.trackers.Tracker.TrackedRun;
import io.peft4j.train.MetricsJson;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells trackers of a training: the values of {@code metrics.jsonl} under the same names.
 *
 * <pre>{@code
 * TrackingListener tracking = new TrackingListener("handbook", List.of(new TensorBoardTracker(Path.of("runs"))));
 * Trainer.builder(model).listener(tracking).build().train(examples);
 * }</pre>
 *
 * <p>No tracker can end a training or hold it up: each has a thread of its own, one that fails is named in a warning
 * and left out, and at the end the training waits {@link #withPatience a bounded time} for the slow, and for one that
 * has not answered for a quarter of that by then at most 0.1 % of the training's time. Of a tracker that is slower
 * than the training 10,000 rows wait at most; what comes then is dropped until it has caught up, and a warning says so.
 * A listener is for one training.
 */
public final class TrackingListener implements TrainingListener {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String name;
    private final List<Tracker> trackers;
    private final Optional<Path> output;
    private final Duration patience;
    private final List<TrackerThread> deliveries = new ArrayList<>();

    /** A listener for a training of this name without an output folder. */
    public TrackingListener(String name, List<Tracker> trackers) {
        this(name, trackers, Optional.empty(), PATIENCE);
    }

    private TrackingListener(String name, List<Tracker> trackers, Optional<Path> output, Duration patience) {
        this.name = name;
        this.trackers = List.copyOf(trackers);
        this.output = output;
        this.patience = patience;
    }

    /** The same for a training that writes to this folder. */
    public TrackingListener withOutput(Path folder) {
        return new TrackingListener(name, trackers, Optional.of(folder), patience);
    }

    /** The same, with another time that the end of a training may take for the trackers together; default 20 s. */
    public TrackingListener withPatience(Duration time) {
        return new TrackingListener(name, trackers, output, time);
    }

    @Override
    public void onStart(TrainingPlan plan) {
        RunDescription run = new RunDescription(name, plan.settings(), output, plan.doneSteps());
        for (Tracker tracker : trackers) {
            try {
                deliveries.add(new TrackerThread(tracker, run));
            } catch (OutOfMemoryError e) {
                TrackerThread.leftOut(tracker, e);
            }
        }
    }

    @Override
    public void onStep(StepMetrics metrics) {
        log(metrics.step(), MetricsJson.of(metrics));
    }

    @Override
    public void onEvaluation(TrainingResult.Evaluation evaluation) {
        log(evaluation.step(), MetricsJson.of(evaluation));
    }

    private void log(long step, ObjectNode line) {
        Map<String, Double> values = new LinkedHashMap<>();
        line.properties().forEach(field -> {
            if (!field.getKey().equals("step") && field.getValue().isNumber()) {
                values.put(field.getKey(), field.getValue().doubleValue());
            }
        });
        MetricRow row = new MetricRow(step, Instant.now(), values);
        deliveries.forEach(delivery -> delivery.log(row));
    }

    @Override
    public void onEnd(TrainingResult result) {
        Map<String, Double> summary = new LinkedHashMap<>();
        summary.put("seconds", result.seconds());
        summary.put("steps", (double) (result.plan().doneSteps() + result.steps().size()));
        result.finalTrainLoss().ifPresent(loss -> summary.put("final_train_loss", loss));
        result.finalEvalLoss().ifPresent(loss -> summary.put("final_eval_loss", loss));
        end(new RunEnd(result.cancelled() ? RunEnd.Status.CANCELLED : RunEnd.Status.FINISHED, summary,
                result.output()));
    }

    @Override
    public void onFailure(Throwable failure) {
        end(new RunEnd(RunEnd.Status.FAILED, Map.of(), Optional.empty()));
    }

    private void end(RunEnd end) {
        long deadline = System.nanoTime() + patience.toNanos();
        deliveries.forEach(delivery -> delivery.end(end,
                Duration.ofNanos(Math.max(1_000_000, deadline - System.nanoTime()))));
        deliveries.clear();
    }

    /**
     * Brings one training to one tracker on a thread of its own. The thread that trains only puts rows into a queue: a
     * tracker that is slow gets several at once, and one that fails is logged once and asked no more.
     */
    private static final class TrackerThread {
        private static final Logger LOG = LoggerFactory.getLogger(TrackingListener.class);
        private static final int ROWS_AT_ONCE = 500;
        /** Who has not answered for this share of the patience is waited for as long as makes no difference. */
        private static final int SILENT_SHARE = 4;
        private static final double SHARE_FOR_THE_SILENT = 0.001;

        /** Rows that wait for a slow tracker. */
        private static final int MOST_ROWS = 10_000;

        private final Tracker tracker;
        private final RunDescription description;
        private final BlockingQueue<Object> queue = new LinkedBlockingQueue<>(MOST_ROWS);
        private final BackgroundLoop loop;
        private final long begin = System.nanoTime();
        private Optional<TrackedRun> run = Optional.empty();
        private long dropped;
        private volatile boolean failed;
        /** Since when the tracker has been at what it was given last; empty while it waits for more. */
        private volatile OptionalLong busySince = OptionalLong.of(begin);

        TrackerThread(Tracker tracker, RunDescription description) {
            this.tracker = tracker;
            this.description = description;
            this.loop = BackgroundLoop.start("peft4j-tracker-" + tracker.name(), Duration.ZERO, this::deliver, e -> {
                failed = true;
                queue.clear();
                leftOut(tracker, e);
                return false;
            });
        }

        static void leftOut(Tracker tracker, Throwable why) {
            LOG.warn("the tracker {} is left out from here on, the training continues: {}", tracker.name(),
                    reason(why));
        }

        void log(MetricRow row) {
            if (!failed && !queue.offer(row) && dropped++ == 0) {
                LOG.warn("the tracker {} is {} rows behind: rows from update {} on are dropped until it has caught up",
                        tracker.name(), MOST_ROWS, row.step());
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
            if (dropped > 0) {
                LOG.warn("the tracker {} was too slow for {} rows, which it did not get", tracker.name(), dropped);
            }
            while (!queue.offer(end)) {
                // The end matters more than a row.
                queue.poll();
            }
            if (!loop.awaitEnd(wait)) {
                LOG.warn("the tracker {} {}; the adapter is saved all the same", tracker.name(), silent
                        ? "has not answered for a while and does not get the rest of the run"
                        : "did not take the rest of the run within " + wait.toSeconds() + " s");
                loop.interrupt();
            }
        }

        private static Duration shorter(Duration one, Duration other) {
            return one.compareTo(other) < 0 ? one : other;
        }

        private boolean deliver() throws Exception {
            if (run.isEmpty()) {
                run = Optional.of(tracker.begin(description));
            }
            List<MetricRow> rows = new ArrayList<>();
            busySince = OptionalLong.empty();
            Object next = queue.take();
            busySince = OptionalLong.of(System.nanoTime());
            while (next instanceof MetricRow row) {
                rows.add(row);
                next = rows.size() < ROWS_AT_ONCE ? queue.poll() : null;
            }
            if (!rows.isEmpty()) {
                run.get().log(rows);
            }
            if (next instanceof RunEnd end) {
                run.get().end(end);
                return false;
            }
            return true;
        }

        private static String reason(Throwable e) {
            Throwable deepest = Causes.root(e);
            String message = deepest.getMessage() == null ? "" : ": " + deepest.getMessage().strip().lines().findFirst()
                    .orElse("");
            return deepest.getClass().getSimpleName() + message;
        }
    }
}
