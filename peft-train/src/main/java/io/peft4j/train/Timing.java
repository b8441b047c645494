package io.peft4j.train;

import java.util.ArrayList;
import java.util.List;

/** Times of the updates of a training that ends when enough is known. */
final class Timing implements TrainingListener {
    private final double limit;
    private final int least;
    private final Cancellation enough;
    private final List<TrainingListener> others;
    private final List<Long> tokens = new ArrayList<>();
    private final List<Double> ends = new ArrayList<>();
    private long begin;
    private long keptBytes;
    private long plannedBytes;

    /**
     * Times of a training.
     *
     * @param limit seconds after which it ends
     * @param least updates that it has at least
     * @param enough what ends it
     * @param others who follow as well, and take their part of the time
     */
    Timing(double limit, int least, Cancellation enough, List<TrainingListener> others) {
        this.limit = limit;
        this.least = least;
        this.enough = enough;
        this.others = others;
    }

    @Override
    public void onStart(TrainingPlan plan) {
        others.forEach(listener -> listener.onStart(plan));
    }

    @Override
    public void onStep(StepMetrics metrics) {
        others.forEach(listener -> listener.onStep(metrics));
        if (tokens.isEmpty()) {
            // What came before the first update is timed apart.
            begin = System.nanoTime() - (long) (1e9 * metrics.seconds());
        }
        tokens.add(metrics.tokens());
        ends.add((System.nanoTime() - begin) / 1e9);
        if (ends.size() >= least && seconds() > limit) {
            enough.cancel();
        }
    }

    /** Notes what is kept of frozen layers. */
    void keep(FrozenStates states) {
        keptBytes = states.keptBytes();
        plannedBytes = keptBytes == 0 ? 0 : states.plannedBytes();
    }

    /** Seconds of all updates. */
    double seconds() {
        return ends.get(ends.size() - 1);
    }

    /** Tokens of all updates. */
    long tokens() {
        return tokens.stream().mapToLong(Long::longValue).sum();
    }

    /** The number of updates. */
    int updates() {
        return ends.size();
    }

    long keptBytes() {
        return keptBytes;
    }

    long plannedBytes() {
        return plannedBytes;
    }

    /** Seconds of the whole training of so many tokens: what was measured, and the rest at the later speed. */
    double ahead(long allTokens) {
        return seconds() + Math.max(0, allTokens - tokens()) * steadySecondsPerToken();
    }

    /** The speed of the later half of the time: what comes before allocates and compiles. */
    double steadySecondsPerToken() {
        int from = 1;
        while (from < ends.size() - 1 && ends.get(from - 1) < seconds() / 2) {
            from++;
        }
        if (from >= ends.size()) {
            return seconds() / tokens();
        }
        long steady = tokens.subList(from, tokens.size()).stream().mapToLong(Long::longValue).sum();
        return (seconds() - ends.get(from - 1)) / steady;
    }
}
