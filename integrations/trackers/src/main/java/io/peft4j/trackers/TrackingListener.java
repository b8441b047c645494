package io.peft4j.trackers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.train.MetricsJson;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
 * has not answered for a quarter of that by then at most 0.1 % of the training's time. A listener is for one
 * training.
 */
public final class TrackingListener implements TrainingListener {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String name;
    private final List<Tracker> trackers;
    private final Optional<Path> output;
    private final Duration patience;
    private List<TrackerThread> deliveries = List.of();

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
        deliveries = trackers.stream().map(tracker -> new TrackerThread(tracker, run)).toList();
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
    public void onFailure(RuntimeException failure) {
        end(new RunEnd(RunEnd.Status.FAILED, Map.of(), Optional.empty()));
    }

    private void end(RunEnd end) {
        long deadline = System.nanoTime() + patience.toNanos();
        deliveries.forEach(delivery -> delivery.end(end,
                Duration.ofNanos(Math.max(1_000_000, deadline - System.nanoTime()))));
        deliveries = List.of();
    }
}
