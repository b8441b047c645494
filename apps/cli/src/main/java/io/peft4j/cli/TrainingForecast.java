package io.peft4j.cli;

import io.peft4j.core.measure.support.ProcessUsage;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingEstimate;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * Foresees time, memory and cost from a training's own first updates, which costs nothing, and says at the end what
 * came of it.
 */
final class TrainingForecast implements TrainingListener {
    private static final int FEWEST_STEPS = 4;
    private static final double SECONDS = 5;
    private static final double SHARE = 0.05;

    private final Console console;
    private final PriceOptions prices;
    private long begin;
    private TrainingPlan plan;
    private OptionalDouble seconds = OptionalDouble.empty();
    private OptionalLong bytes = OptionalLong.empty();

    TrainingForecast(Console console, PriceOptions prices) {
        this.console = console;
        this.prices = prices;
    }

    @Override
    public void onStart(TrainingPlan newPlan) {
        plan = newPlan;
        begin = System.nanoTime();
    }

    @Override
    public void onStep(StepMetrics step) {
        long done = step.step() - plan.doneSteps();
        double spent = (System.nanoTime() - begin) / 1e9;
        if (seconds.isPresent() || done < FEWEST_STEPS
                || spent < SECONDS && done < SHARE * (plan.totalSteps() - plan.doneSteps())) {
            return;
        }
        seconds = OptionalDouble.of(spent + step.secondsLeft());
        OptionalLong peak = ProcessUsage.peakResidentBytes();
        bytes = peak.isPresent() ? OptionalLong.of(peak.getAsLong()
                + TrainingEstimate.laterBytes(seconds.getAsDouble(), plan.totalSteps())) : peak;
        String cost = prices.text(seconds.getAsDouble(), tokens());
        boolean open = step.fewestSteps() < step.mostSteps();
        console.say("estimate:   %s%s in all, %s%,d tokens, peak memory about %s%s",
                open ? TerminalProgress.time(spent + step.leastSecondsLeft()) + " to " : "",
                TerminalProgress.time(seconds.getAsDouble()),
                open ? "at most " : "", tokens(), PeakMemory.text(bytes), cost.isEmpty() ? "" : ", cost " + cost);
    }

    /** Of all updates, each epoch counted. */
    private long tokens() {
        return Math.round((double) plan.tokens() * plan.totalSteps() / plan.stepsPerEpoch());
    }

    /** What came of it, beside what was foreseen. */
    String truth(TrainingResult result) {
        String cost = prices.text(result.seconds(), tokens());
        return String.format(Locale.ROOT, "peak memory %s%s%s", PeakMemory.text(), cost.isEmpty() ? "" : ", cost "
                + cost, seconds.isEmpty() ? ""
                        : String.format(Locale.ROOT, " (estimated: %.1f s, %s)",
                                seconds.getAsDouble(), PeakMemory.text(bytes)));
    }
}
