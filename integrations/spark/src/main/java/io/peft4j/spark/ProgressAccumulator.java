package io.peft4j.spark;

import io.peft4j.train.StepMetrics;
import java.io.Serializable;
import java.util.Locale;
import org.apache.spark.util.AccumulatorV2;

/** How far a training is, as Spark's page shows it while the stage runs. */
final class ProgressAccumulator extends AccumulatorV2<ProgressAccumulator.Progress, ProgressAccumulator.Progress> {
    private static final long serialVersionUID = 1L;
    private static final Progress NONE = new Progress(0, 0, 0, 0);

    private Progress last;

    /**
     * The last update.
     *
     * @param updates its number, from 1
     * @param loss its loss
     * @param tokensPerSecond its speed
     * @param secondsLeft how long the rest takes
     */
    record Progress(long updates, double loss, double tokensPerSecond, double secondsLeft) implements Serializable {
        static Progress of(StepMetrics step) {
            return new Progress(step.step(), step.trainLoss(), step.tokensPerSecond(), step.secondsLeft());
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "update %d, loss %.4f, %.0f tokens/s, %.0f s left", updates, loss,
                    tokensPerSecond, secondsLeft);
        }
    }

    ProgressAccumulator() {
        this(NONE);
    }

    private ProgressAccumulator(Progress last) {
        this.last = last;
    }

    @Override
    public boolean isZero() {
        return last.updates() == 0;
    }

    @Override
    public AccumulatorV2<Progress, Progress> copy() {
        return new ProgressAccumulator(last);
    }

    @Override
    public void reset() {
        last = NONE;
    }

    @Override
    public void add(Progress next) {
        last = next.updates() > last.updates() ? next : last;
    }

    @Override
    public void merge(AccumulatorV2<Progress, Progress> other) {
        add(other.value());
    }

    @Override
    public Progress value() {
        return last;
    }
}
