package io.peft4j.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.runs.RunInfo.LearnedRows;
import io.peft4j.train.runs.RunInfo.LearnedRows.Reason;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * How far a training goes. Where it ends when it has learned ({@link TrainingOptions#learnedShare}), its rate stays as
 * it is until this says otherwise; from then on it is a training of a fixed number of updates, with the rate that such
 * a one would have had. All follows from what the updates gave, so that workers agree and a resumed training goes the
 * same way.
 */
final class Course {
    /** Epochs without an improvement after which no more is expected. */
    private static final int PATIENCE = 2;
    /** What the loss must fall to, relative to the lowest one, to count as an improvement. */
    private static final double BETTER = 0.99;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final TrainingOptions options;
    private final int stepsPerEpoch;
    private final RowVisits rows;
    private final List<TrainingResult.Evaluation> evaluations;
    private final boolean validated;
    private final long bound;
    private long end;
    private Reason reason = Reason.GIVEN;
    private long stable;
    private long since;
    private long mostLearned;
    private double lowestLoss = Double.MAX_VALUE;

    /**
     * The course of a training from its beginning.
     *
     * @param bound the most updates, or as many as there are where they are given
     * @param validation where it has examples, these decide
     */
    Course(TrainingOptions options, int stepsPerEpoch, long bound, RowVisits rows, Validation validation) {
        this.options = options;
        this.stepsPerEpoch = stepsPerEpoch;
        this.bound = bound;
        this.end = bound;
        this.rows = rows;
        this.evaluations = validation.evaluations();
        this.validated = validation.set().isPresent();
    }

    /** Updates in all; the most there can be while that is open. */
    long end() {
        return end;
    }

    /** Whether it is not decided yet when the rate falls. */
    boolean isOpen() {
        return options.learnedShare().orElse(0) > 0 && (validated || rows.size() > 0) && reason == Reason.GIVEN;
    }

    /** The fewest updates in all, seen from one. */
    long earliest(long step) {
        return isOpen() ? Math.min(end, endFrom(Math.max(step, stepsPerEpoch))) : end;
    }

    /** Updates in all if the rate begins to fall now. */
    private long endFrom(long step) {
        return options.schedule().totalFrom(step, options.warmupSteps().getAsInt()).orElse(end);
    }

    /**
     * Looks whether the rate is to fall from here on; may be asked again after the same update.
     *
     * @param step updates done
     * @param late whether just enough time is left to let the rate fall
     * @return whether this was decided now
     */
    boolean decide(long step, BooleanSupplier late) {
        if (!isOpen()) {
            return false;
        }
        if (endFrom(step) >= end) {
            reason = options.maxSteps() > 0 ? Reason.MAX_STEPS : Reason.EPOCHS;
        } else if (late.getAsBoolean()) {
            reason = Reason.TIME_BUDGET;
        } else if (validated) {
            reason = step - lastBest() >= (long) PATIENCE * stepsPerEpoch ? Reason.VALIDATION : Reason.GIVEN;
        } else if (rows.areSeen() && rows.learned() >= options.learnedShare().getAsDouble() * rows.size()) {
            reason = Reason.LEARNED;
        } else if (step % stepsPerEpoch == 0 && !improves(step) && (knowsHalf() || step >= bound / 2)) {
            reason = Reason.NO_PROGRESS;
        }
        if (reason == Reason.GIVEN) {
            return false;
        }
        stable = step;
        end = Math.min(end, endFrom(step));
        return true;
    }

    /** Whether there was an improvement in the last epochs. */
    private boolean improves(long step) {
        if (rows.learned() > mostLearned || rows.meanLoss() < BETTER * lowestLoss) {
            since = step;
        }
        mostLearned = Math.max(mostLearned, rows.learned());
        lowestLoss = Math.min(lowestLoss, rows.meanLoss());
        return step - since < (long) PATIENCE * stepsPerEpoch;
    }

    /**
     * Whether at least half of the rows that are waited for are learned. Rows that are alike but for a number are often
     * learned all at once after ten epochs in which none was, so that until then a standstill says nothing.
     */
    private boolean knowsHalf() {
        return rows.learned() >= options.learnedShare().getAsDouble() * rows.size() / 2;
    }

    /** The update after which the validation data were best: by accuracy where that is measured, else by the loss. */
    private long lastBest() {
        double best = Double.MAX_VALUE;
        long step = since;
        for (TrainingResult.Evaluation each : evaluations) {
            double value = each.measures().containsKey(Objective.ACCURACY) ? -each.accuracy().getAsDouble()
                    : each.comparedLoss();
            if (value < best) {
                best = value;
                step = Math.max(since, each.step());
            }
        }
        return step;
    }

    /** What it came to. */
    LearnedRows result(double stableEpochs, double epochs) {
        return new LearnedRows(rows.learned(), rows.size(), rows.unlearned(), reason, stableEpochs, epochs);
    }

    /** Updates before the rate began to fall, where that was decided. */
    long stable() {
        return stable;
    }

    /** Why the rate began to fall. */
    Reason reason() {
        return reason;
    }

    /** What {@link #restore} needs. */
    private record State(long end, Reason reason, long stable, long since, long mostLearned, double lowestLoss,
            List<RowVisits.Visit> rows) {
    }

    /** What {@link #restore} needs. */
    JsonNode toJson() {
        return JSON.valueToTree(new State(end, reason, stable, since, mostLearned, lowestLoss, rows.all()));
    }

    /**
     * Makes it what it was; a state of an older version is not there and says nothing.
     *
     * @param step updates done
     * @param finished whether the training had come to its end, and is to go on with its rate as it was before it fell
     */
    void restore(JsonNode saved, long step, boolean finished) {
        if (saved.isMissingNode()) {
            return;
        }
        State state = JSON.convertValue(saved, State.class);
        for (int i = 0; i < Math.min(rows.size(), state.rows.size()); i++) {
            rows.add(i, state.rows.get(i));
        }
        boolean further = finished && state.reason != Reason.GIVEN;
        end = further ? step + bound : state.end;
        reason = further ? Reason.GIVEN : state.reason;
        since = further ? step : state.since;
        stable = state.stable;
        mostLearned = state.mostLearned;
        lowestLoss = state.lowestLoss;
    }
}
