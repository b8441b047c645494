package io.peft4j.cli;

import io.peft4j.core.error.Count;
import io.peft4j.train.MetricsJson;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import java.util.Locale;
import java.util.OptionalDouble;

/** Shows a training on stderr and, for machines, as JSON lines on stdout. */
final class TrainingProgress implements TrainingListener, AutoCloseable {
    private final Console console;
    private final boolean json;
    private TerminalProgress progress;
    private String validation = "";
    private double tokens;
    private double seconds;

    /** Follows a training; {@code json} tells whether stdout gets a line a step. */
    TrainingProgress(Console console, boolean json) {
        this.console = console;
        this.json = json;
    }

    /** A reader of stdout who has gone away does not want the rest. */
    @Override
    public boolean failureEndsTraining() {
        return true;
    }

    @Override
    public void onStart(TrainingPlan plan) {
        console.say("%s with %s, %,d of them supervised; %s an epoch, %,d in all%s%s",
                Count.of(plan.examples(), "example"), Count.of(plan.tokens(), "token"), plan.supervisedTokens(),
                Count.of(plan.stepsPerEpoch(), "step"), plan.totalSteps(),
                plan.leftOut() == 0 ? "" : "; " + Count.of(plan.leftOut(), "example") + " left out",
                plan.doneSteps() == 0 ? "" : "; " + Count.of(plan.doneSteps(), "step") + " done before");
        if (!plan.chosen().isEmpty()) {
            console.say("auto:       %s", plan.chosen());
        }
        progress = TerminalProgress.of(console, "Training", plan.doneSteps(), plan.totalSteps());
    }

    @Override
    public void onStep(StepMetrics step) {
        tokens += step.tokens();
        seconds += step.seconds();
        progress.to(step.step(), String.format(Locale.ROOT, "epoch %.1f, loss %.3f%s%s, %.0f tokens/s", step.epoch(),
                step.trainLoss(), accuracy(step.accuracy()), validation, tokens / seconds));
        if (json) {
            console.print(MetricsJson.of(step));
        }
    }

    @Override
    public void onEvaluation(TrainingResult.Evaluation evaluation) {
        validation = String.format(Locale.ROOT, ", validation %.3f", evaluation.loss())
                + accuracy(evaluation.accuracy());
        if (!console.isTerminal()) {
            console.say("Validation loss after %.1f epochs: %.4f%s", evaluation.epoch(), evaluation.loss(),
                    accuracy(evaluation.accuracy()));
        }
        if (json) {
            console.print(MetricsJson.of(evaluation));
        }
    }

    private static String accuracy(OptionalDouble share) {
        return share.isEmpty() ? "" : String.format(Locale.ROOT, ", accuracy %.3f", share.getAsDouble());
    }

    @Override
    public void close() {
        if (progress != null) {
            progress.close();
            progress = null;
        }
    }
}
