package io.peft4j.train;

import java.util.ArrayList;
import java.util.List;

/** Times of the updates of a training that ends when enough is known. */
final class Timing implements TrainingListener {
    /** From so many updates on it can be told whether they still become faster. */
    private static final int MANY = 24;
    /** A quarter of the time whose updates take at least this share of those in the quarter before is steady. */
    private static final double STEADY = 0.93;
    /** They are waited for at most so many times the limit. */
    private static final double LONGEST = 4;

    private final double limit;
    private final int least;
    private final boolean areSmall;
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
     * @param areSmall whether updates take no time by their operations, so that what they take is the JVM's start
     * @param enough what ends it
     * @param others who follow as well, and take their part of the time
     */
    Timing(double limit, int least, boolean areSmall, Cancellation enough, List<TrainingListener> others) {
        this.limit = limit;
        this.least = least;
        this.areSmall = areSmall;
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
        if (ends.size() >= least && seconds() > limit && (isSteady() || seconds() > LONGEST * limit)) {
            enough.cancel();
        }
    }

    /** While the JVM compiles, small updates become faster and faster. */
    private boolean isSteady() {
        if (ends.size() < MANY) {
            return !areSmall;
        }
        return secondsPerToken(0.75, 1) > STEADY * secondsPerToken(0.5, 0.75);
    }

    /** The speed between two shares of the time. */
    private double secondsPerToken(double fromShare, double toShare) {
        int from = firstAfter(fromShare);
        int to = Math.max(from + 1, toShare == 1 ? ends.size() : firstAfter(toShare));
        if (to > ends.size()) {
            return seconds() / tokens();
        }
        long count = tokens.subList(from, to).stream().mapToLong(Long::longValue).sum();
        return (ends.get(to - 1) - (from == 0 ? 0 : ends.get(from - 1))) / count;
    }

    /** The first update that begins after a share of the time. */
    private int firstAfter(double share) {
        int i = 1;
        while (i < ends.size() && ends.get(i - 1) < share * seconds()) {
            i++;
        }
        return i;
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

    /** The speed of the later part of the time: what comes before allocates and compiles. */
    double steadySecondsPerToken() {
        int from = Math.min(firstAfter(ends.size() < MANY ? 0.5 : 0.7), Math.max(1, ends.size() - 1));
        if (from >= ends.size()) {
            return seconds() / tokens();
        }
        long steady = tokens.subList(from, tokens.size()).stream().mapToLong(Long::longValue).sum();
        return (seconds() - ends.get(from - 1)) / steady;
    }
}
