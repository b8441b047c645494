package io.peft4j.cloud.jobs;

import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Optional;
import java.util.function.Consumer;

/** A line for each update and each measurement, which {@link MetricDefinitions} finds in a job's log. */
final class StepLines implements TrainingListener {
    private static final MathContext DIGITS = new MathContext(7);

    private final PrintWriter out;
    private final Consumer<TrainingPlan> begin;
    private Optional<TrainingResult> result = Optional.empty();

    /**
     * Lines of a training.
     *
     * @param begin gets the plan when it begins
     */
    StepLines(PrintWriter out, Consumer<TrainingPlan> begin) {
        this.out = out;
        this.begin = begin;
    }

    @Override
    public void onStart(TrainingPlan plan) {
        begin.accept(plan);
    }

    @Override
    public void onStep(StepMetrics step) {
        print("step=" + step.step() + " epoch=" + number(step.epoch()) + " train_loss=" + number(step.trainLoss())
                + " learning_rate=" + number(step.learningRate()) + " grad_norm=" + number(step.gradNorm())
                + " tokens_per_s=" + number(step.tokensPerSecond()));
    }

    @Override
    public void onEvaluation(long step, double epoch, double evalLoss) {
        print("step=" + step + " epoch=" + number(epoch) + " eval_loss=" + number(evalLoss));
    }

    @Override
    public void onEnd(TrainingResult ended) {
        result = Optional.of(ended);
    }

    /** What the training came to, once it has ended. */
    Optional<TrainingResult> result() {
        return result;
    }

    private void print(String line) {
        out.println(line);
        out.flush();
    }

    private static String number(double value) {
        return Double.isFinite(value) ? new BigDecimal(value).round(DIGITS).stripTrailingZeros().toPlainString()
                : Double.toString(value);
    }
}
