package io.peft4j.train;

import io.peft4j.core.error.Count;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Logs the progress of a training: a line at its start, one at most every ten seconds, and one at its end. */
public final class ProgressLog implements TrainingListener {
    private static final long QUIET_NANOS = 10_000_000_000L;

    private final Consumer<String> lines;
    private final LongSupplier clock;
    private String validation = "";
    private long totalSteps;
    private long last;
    private double tokens;
    private double seconds;

    /** Progress to other receivers than the log, for instance {@code System.out::println}. */
    public static ProgressLog to(Consumer<String> lines) {
        return new ProgressLog(lines, System::nanoTime);
    }

    /**
     * Progress.
     *
     * @param lines gets each line
     * @param clock nanoseconds from any origin
     */
    public ProgressLog(Consumer<String> lines, LongSupplier clock) {
        this.lines = lines;
        this.clock = clock;
    }

    @Override
    public void onStart(TrainingPlan plan) {
        totalSteps = plan.totalSteps();
        last = clock.getAsLong();
        say("training on %s with %s, %,d of them supervised: %s%s, %s",
                Count.of(plan.examples(), "example"), Count.of(plan.tokens(), "token"), plan.supervisedTokens(),
                (plan.isOpen() ? "at most " : "") + Count.of(totalSteps, "step"),
                plan.doneSteps() == 0 ? "" : " of which " + plan.doneSteps() + " are done",
                Count.of(plan.trainableParameters(), "trainable parameter"));
        if (!plan.chosen().isEmpty()) {
            say("auto: %s", plan.chosen());
        }
    }

    @Override
    public void onStep(StepMetrics step) {
        tokens += step.tokens();
        seconds += step.seconds();
        long now = clock.getAsLong();
        if (now - last >= QUIET_NANOS) {
            last = now;
            boolean open = step.fewestSteps() < step.mostSteps();
            say("step %,d of %s%,d, epoch %.1f, %s%s, %.0f tokens/s, about %s%.0f s left", step.step(),
                    open ? step.fewestSteps() + " to " : "", step.mostSteps() == 0 ? totalSteps : step.mostSteps(),
                    step.epoch(), step.summary(), validation, tokens / seconds,
                    open ? Math.round(step.leastSecondsLeft()) + " to " : "", step.secondsLeft());
        }
    }

    @Override
    public void onEvaluation(TrainingResult.Evaluation evaluation) {
        validation = ", validation " + evaluation.summary();
    }

    @Override
    public void onEnd(TrainingResult result) {
        lines.accept(result.toString());
        result.profile().ifPresent(profile -> lines.accept(profile.toString()));
    }

    private void say(String format, Object... values) {
        lines.accept(String.format(Locale.ROOT, format, values));
    }
}
