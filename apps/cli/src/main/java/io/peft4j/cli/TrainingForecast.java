package io.peft4j.cli;

import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingEstimate;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * Foresees time, memory and cost from a training's own first updates, which costs nothing, says so again where updates
 * become slower or faster than they were then, and at the end what came of it.
 */
final class TrainingForecast implements TrainingListener {
    private static final int FEWEST_STEPS = 4;
    private static final double SECONDS = 5;
    private static final double SHARE = 0.05;
    /** How much longer or shorter updates take where the estimate is said again, seen over so many seconds. */
    private static final double OTHER_PACE = 1.3;
    private static final double SECONDS_OF_PACE = 30;

    private final Console console;
    private final PriceOptions prices;
    private long begin;
    private TrainingPlan plan;
    private OptionalDouble seconds = OptionalDouble.empty();
    private String foreseen = "";
    private OptionalLong bytes = OptionalLong.empty();
    /** Seconds of an update as they were when an estimate was said last, and since then. */
    private double pace;
    private double since;
    private int updates;

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
        since += step.seconds();
        updates++;
        if (seconds.isPresent()) {
            correct(spent, step);
            return;
        }
        if (done < FEWEST_STEPS || spent < SECONDS && done < SHARE * (plan.totalSteps() - plan.doneSteps())) {
            return;
        }
        seconds = OptionalDouble.of(spent + step.secondsLeft());
        foreseen = range(spent, step);
        OptionalLong peak = ProcessUsage.peakResidentBytes();
        bytes = peak.isPresent() ? OptionalLong.of(peak.getAsLong()
                + TrainingEstimate.laterBytes(seconds.getAsDouble(), plan.totalSteps())) : peak;
        String cost = prices.text(seconds.getAsDouble(), tokens());
        console.say("estimate:   %s in all, %s%,d tokens, peak memory about %s%s; assumed that updates take as long as "
                + "the first ones", foreseen, step.fewestSteps() < step.mostSteps() ? "at most " : "", tokens(),
                PeakMemory.text(bytes), cost.isEmpty() ? "" : ", cost " + cost);
        measurePace();
    }

    /** Says the time again where the machine has become slower or faster. */
    private void correct(double spent, StepMetrics step) {
        if (since < SECONDS_OF_PACE || updates < FEWEST_STEPS) {
            return;
        }
        double times = since / updates / pace;
        if (times > OTHER_PACE || times < 1 / OTHER_PACE) {
            console.say("estimate:   %s in all now: updates take %.1f times as long as before", range(spent, step),
                    times);
            measurePace();
        } else {
            since = 0;
            updates = 0;
        }
    }

    private void measurePace() {
        pace = since / updates;
        since = 0;
        updates = 0;
    }

    private static String range(double spent, StepMetrics step) {
        return (step.fewestSteps() < step.mostSteps() ? TerminalProgress.time(spent + step.leastSecondsLeft()) + " to "
                : "") + TerminalProgress.time(spent + step.secondsLeft());
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
                        : " (estimated: " + foreseen + ", " + PeakMemory.text(bytes) + ")");
    }
}
