package io.peft4j.cli;

import io.peft4j.core.error.Count;
import io.peft4j.train.MetricsJson;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.SampledAnswer;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** Shows a training on stderr and, for machines, as JSON lines on stdout. */
final class TrainingProgress implements TrainingListener, AutoCloseable {
    private static final int MOST_LETTERS = 160;
    private static final long QUIET_NANOS = Duration.ofMinutes(1).toNanos();

    private final Console console;
    private final boolean json;
    private TerminalProgress progress;
    private String validation = "";
    private double tokens;
    private double seconds;
    private long shown;

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
        console.say("%s with %s, %,d of them supervised; %s an epoch, %s%,d in all%s%s",
                Count.of(plan.examples(), "example"), Count.of(plan.tokens(), "token"), plan.supervisedTokens(),
                Count.of(plan.stepsPerEpoch(), "step"), plan.isOpen() ? "at most " : "", plan.totalSteps(),
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
        progress.endsBetween(step.fewestSteps(), step.mostSteps());
        progress.to(step.step(), String.format(Locale.ROOT, "epoch %.1f, %s%s, %.0f tokens/s", step.epoch(),
                step.summary(), validation, tokens / seconds));
        if (json) {
            console.print(MetricsJson.of(step));
        }
    }

    @Override
    public void onEvaluation(TrainingResult.Evaluation evaluation) {
        validation = ", validation " + evaluation.summary();
        if (!console.isTerminal()) {
            console.say("Validation loss after %.1f epochs: %.4f%s%s", evaluation.epoch(), evaluation.loss(),
                    accuracy(evaluation.accuracy()), reward(evaluation));
        }
        if (json) {
            console.print(MetricsJson.of(evaluation));
        }
    }

    private static String reward(TrainingResult.Evaluation evaluation) {
        Double reward = evaluation.measures().get("reward");
        return reward == null ? "" : String.format(Locale.ROOT, ", reward %.3f", reward);
    }

    /** An answer of the first update and, at most every minute, of a later one. */
    @Override
    public void onAnswers(long step, List<SampledAnswer> answers) {
        long now = System.nanoTime();
        if (!console.isTerminal() && (shown == 0 || now - shown >= QUIET_NANOS)) {
            shown = now;
            SampledAnswer answer = answers.get(0);
            console.say("Answer in step %d%s: \"%s\" to \"%s\"", step, Double.isNaN(answer.reward()) ? ", no reward"
                    : String.format(Locale.ROOT, ", reward %.3f", answer.reward()), line(answer.answer()),
                    line(answer.prompt()));
        }
    }

    /** The beginning of a text in one line. */
    private static String line(String text) {
        String one = text.strip().replaceAll("\\s+", " ");
        return one.codePointCount(0, one.length()) <= MOST_LETTERS ? one
                : one.substring(0, one.offsetByCodePoints(0, MOST_LETTERS)) + " ...";
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
