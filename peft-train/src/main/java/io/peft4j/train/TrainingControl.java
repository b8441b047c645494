package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * When a training measures, when it ends, and which adapter it leaves.
 *
 * @param maxSteps updates in all, instead of those that the epochs make up: the schedule ends with them, and the data
 *     come again where they are more; 0, the default, means that the epochs decide
 * @param evaluateEverySteps updates between two measurements on the validation data; 0, the default, means one after
 *     each epoch. There is always one before the first update and one after the last
 * @param patience number of measurements in a row that are not better than the best before them, after which the
 *     training ends; 0, the default, means that it goes on
 * @param threshold by how much a measurement must be lower to count as better; default 0
 * @param keepBest whether the adapter that is left is that of the lowest loss on the validation data, rather than the
 *     last one; default false
 * @param timeBudget the training ends, and saves, before the update that would exceed this time, counted from its
 *     beginning or resumption; empty, the default, means that it goes on
 */
public record TrainingControl(long maxSteps, long evaluateEverySteps, int patience, double threshold, boolean keepBest,
        Optional<Duration> timeBudget) {
    /** Checks the ranges. */
    public TrainingControl {
        Objects.requireNonNull(timeBudget, "timeBudget");
        require(maxSteps >= 0, "number of steps", maxSteps, "0 (as many as the epochs have) or more");
        require(evaluateEverySteps >= 0, "number of steps between evaluations", evaluateEverySteps,
                "0 (after each epoch) or more");
        require(patience >= 0, "patience", patience, "0 (never stop early) or more");
        require(threshold >= 0 && Double.isFinite(threshold), "threshold of early stopping", threshold, "0 or more");
        require(threshold == 0 || patience > 0, "threshold of early stopping", threshold, "0 without a patience");
        require(timeBudget.filter(time -> time.isNegative() || time.isZero()).isEmpty(), "time budget",
                timeBudget.map(Duration::toString).orElse(""), "more than no time");
    }

    private static void require(boolean ok, String name, Object value, String allowed) {
        if (!ok) {
            throw new ConfigurationException("the " + name + " is " + value + "; it must be " + allowed);
        }
    }

    /** All epochs, a measurement after each, and the last adapter. */
    public static TrainingControl defaults() {
        return new TrainingControl(0, 0, 0, 0, false, Optional.empty());
    }

    /** Those that decide the course of a training, by name; what is left at its default is not named. */
    Map<String, String> deciding() {
        Map<String, String> values = new LinkedHashMap<>();
        if (maxSteps > 0) {
            values.put("max_steps", String.valueOf(maxSteps));
        }
        if (evaluateEverySteps > 0) {
            values.put("evaluate_every_steps", String.valueOf(evaluateEverySteps));
        }
        if (patience > 0) {
            values.put("early_stopping", patience + " without " + threshold);
        }
        if (keepBest) {
            values.put("keep_best", "true");
        }
        return values;
    }

    /** Whether what is asked for needs validation data. */
    boolean needsValidation() {
        return patience > 0 || keepBest || evaluateEverySteps > 0;
    }

    /** Whether a measurement is due after this number of updates. */
    boolean isEvaluationDue(long steps, TrainingPlan plan) {
        return steps == 0 || steps == plan.totalSteps()
                || steps % (evaluateEverySteps > 0 ? evaluateEverySteps : plan.stepsPerEpoch()) == 0;
    }

    /** Whether the last measurements have not been better for as long as the patience lasts. */
    boolean isOutOfPatience(List<TrainingResult.Evaluation> evaluations) {
        double best = Double.POSITIVE_INFINITY;
        int waited = 0;
        for (TrainingResult.Evaluation evaluation : evaluations) {
            boolean better = evaluation.loss() < best - threshold;
            waited = better ? 0 : waited + 1;
            best = better ? evaluation.loss() : best;
        }
        return patience > 0 && waited >= patience;
    }
}
