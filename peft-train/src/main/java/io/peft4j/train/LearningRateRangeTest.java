package io.peft4j.train;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.train.plan.LearningRateRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * Finds a learning rate: trains with one that rises by the same factor each update, until the loss diverges, and looks
 * at where it fell (Smith, Cyclical Learning Rates, <a href="https://arxiv.org/abs/1506.01186">1506.01186</a>). The
 * adapter is what it was afterwards.
 *
 * <pre>{@code
 * LearningRateRange range = new LearningRateRangeTest(model).run(Trainer.builder(model).batchSize(8),
 *         trainer -> trainer.build().train(examples));
 * range.suggestion();                             // OptionalDouble[0.0012]
 * range.writeHtml(Path.of("learning-rate.html"));
 * }</pre>
 */
public final class LearningRateRangeTest {
    private static final double SMOOTHING = 0.85;
    /** A loss so far above the lowest has diverged. */
    private static final double DIVERGED = 1.5;
    private static final int FEWEST_STEPS = 10;

    private final PeftModel model;
    private double lowest = 1e-6;
    private double highest = 0.1;
    private int steps = 100;

    /** A test of the model's active adapters from 1e-6 to 0.1 in 100 updates. */
    public LearningRateRangeTest(PeftModel model) {
        this.model = Objects.requireNonNull(model, "model");
    }

    /**
     * Other ends.
     *
     * @throws ConfigurationException when they are not above 0, in order, and at most 1
     */
    public LearningRateRangeTest between(double newLowest, double newHighest) {
        if (!(newLowest > 0 && newLowest < newHighest && newHighest <= 1)) {
            throw new ConfigurationException("a range of learning rates from " + newLowest + " to " + newHighest
                    + "; it must rise, from above 0 to at most 1");
        }
        lowest = newLowest;
        highest = newHighest;
        return this;
    }

    /**
     * Another number of updates.
     *
     * @throws ConfigurationException when it is less than 10
     */
    public LearningRateRangeTest steps(int value) {
        if (value < FEWEST_STEPS) {
            throw new ConfigurationException("a range test of " + value + " updates; it needs at least "
                    + FEWEST_STEPS);
        }
        steps = value;
        return this;
    }

    /**
     * Trains and looks.
     *
     * @param trainer the training whose learning rate is asked for, without an output folder; its learning rate,
     *     schedule and number of updates are set here
     * @param training starts it on the examples
     * @throws io.peft4j.core.error.PeftException as training does, but for a divergence
     */
    @Internal
    public LearningRateRange run(TrainerBuilder trainer, Function<TrainerBuilder, TrainingResult> training) {
        Watcher watcher = new Watcher();
        try (BestValues values = new BestValues(model.trainableParameters())) {
            values.keep();
            try {
                training.apply(trainer.learningRate(highest).learnedShare(0)
                        .schedule(LearningRateSchedule.ramp(lowest / highest))
                        .warmupSteps(0).maxSteps(steps).listener(watcher).cancellation(watcher.cancellation));
            } catch (ConfigurationException e) {
                // A loss that is no number any more ends a training; here it is what was looked for.
                if (watcher.points.size() < FEWEST_STEPS) {
                    throw e;
                }
                watcher.diverged = true;
            } finally {
                values.restore();
            }
        }
        return LearningRateRange.of(watcher.points, watcher.diverged);
    }

    /** Notes losses, and stops when they have diverged. */
    private static final class Watcher implements TrainingListener {
        private final Cancellation cancellation = new Cancellation();
        private final List<LearningRateRange.Point> points = new ArrayList<>();
        private double mean;
        private double lowest = Double.POSITIVE_INFINITY;
        private boolean diverged;

        @Override
        public void onStep(StepMetrics step) {
            mean = SMOOTHING * mean + (1 - SMOOTHING) * step.trainLoss();
            // Without the weight of the zero that the mean began with.
            double smooth = mean / (1 - Math.pow(SMOOTHING, points.size() + 1));
            points.add(new LearningRateRange.Point(step.learningRate(), step.trainLoss(), smooth));
            if (points.size() >= FEWEST_STEPS) {
                lowest = Math.min(lowest, smooth);
                diverged = smooth > DIVERGED * lowest;
                if (diverged) {
                    cancellation.cancel();
                }
            }
        }
    }
}
