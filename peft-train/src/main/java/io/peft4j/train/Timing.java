package io.peft4j.train;

import java.util.ArrayList;
import java.util.List;

/**
 * Times of the passes of a training that ends when enough is known, each with its share of what an update takes
 * besides. While the JVM compiles, a token takes some a + b / t seconds at the time t, which was measured with models
 * of 2 and of 30 layers: where there are passes enough to tell, what is to come is foreseen along this curve.
 */
final class Timing {
    /** So many passes after the first update tell the curve from chance. */
    private static final int MANY = 8;
    /** The curve is laid through what comes after this share of the time. */
    private static final double CURVE_FROM = 0.25;
    /** Passes that the start delays by less, as a share, are steady. */
    private static final double STEADY = 0.07;
    /** Steady passes take at least this share of the last ones. */
    private static final double LEAST_STEADY = 0.5;
    /** A piece of the time to come, as a share of what has gone by. */
    private static final double PIECE = 0.01;

    private final double passesPerTimed;
    private final List<Long> tokens = new ArrayList<>();
    private final List<Double> ends = new ArrayList<>();
    private int ofFirstUpdate;
    private int updates;
    private long keptBytes;
    private long plannedBytes;

    /**
     * Times of a training.
     *
     * @param passesPerTimed passes of an update of the training that is foreseen, for each of those that is timed
     */
    public Timing(double passesPerTimed) {
        this.passesPerTimed = passesPerTimed;
    }

    /**
     * Takes the times of an update.
     *
     * @param passTokens tokens of each of its passes
     * @param passSeconds time of each
     * @param seconds time of the whole update with everything that belongs to it, as what is written of it
     */
    public void add(List<Long> passTokens, List<Double> passSeconds, double seconds) {
        double inPasses = passSeconds.stream().mapToDouble(Double::doubleValue).sum();
        double share = (seconds - inPasses) / (passSeconds.size() * passesPerTimed);
        for (int i = 0; i < passSeconds.size(); i++) {
            tokens.add(passTokens.get(i));
            ends.add(seconds() + passSeconds.get(i) + share);
        }
        ofFirstUpdate = updates == 0 ? passSeconds.size() : ofFirstUpdate;
        updates++;
    }

    /** Whether it is known that the JVM's start hardly counts any more. */
    public boolean isSteady() {
        Curve curve = curve();
        return ends.size() - curveFrom() >= MANY && curve.atStart < STEADY * seconds() * curve.steady;
    }

    /** Notes what is kept of frozen layers. */
    void keep(FrozenStates states) {
        keptBytes = states.keptBytes();
        plannedBytes = keptBytes == 0 ? 0 : states.plannedBytes();
    }

    /** Seconds that these passes take in the training that is foreseen. */
    public double seconds() {
        return ends.isEmpty() ? 0 : ends.get(ends.size() - 1);
    }

    /** Tokens of all passes. */
    public long tokens() {
        return tokens.stream().mapToLong(Long::longValue).sum();
    }

    /** The number of updates that were timed. */
    public int updates() {
        return updates;
    }

    int passes() {
        return ends.size();
    }

    long keptBytes() {
        return keptBytes;
    }

    long plannedBytes() {
        return plannedBytes;
    }

    /** Seconds of the whole training of so many tokens: what was measured, and the rest along the curve. */
    public double ahead(long allTokens) {
        Curve curve = curve();
        double time = seconds();
        double left = allTokens - tokens();
        while (left > 0) {
            double speed = curve.secondsPerToken(time);
            double taken = Math.min(left, PIECE * time / speed);
            left -= taken;
            time += taken * speed;
        }
        return time;
    }

    /** The speed of the later half of the time: what comes before allocates and compiles. */
    public double steadySecondsPerToken() {
        int from = Math.min(firstAfter(0.5), Math.max(1, ends.size() - 1));
        if (from >= ends.size()) {
            return seconds() / tokens();
        }
        long steady = tokens.subList(from, tokens.size()).stream().mapToLong(Long::longValue).sum();
        return (seconds() - ends.get(from - 1)) / steady;
    }

    /** The first pass that begins after a share of the time. */
    private int firstAfter(double share) {
        int i = 1;
        while (i < ends.size() && ends.get(i - 1) < share * seconds()) {
            i++;
        }
        return i;
    }

    /** Seconds a token: some that stay, and some that become fewer as time goes by. */
    private record Curve(double steady, double atStart) {
        double secondsPerToken(double time) {
            return steady + atStart / time;
        }
    }

    private int curveFrom() {
        return Math.max(ofFirstUpdate, firstAfter(CURVE_FROM));
    }

    /** By least squares, each token counting as much. */
    private Curve curve() {
        int from = curveFrom();
        if (ends.size() - from < MANY) {
            return new Curve(steadySecondsPerToken(), 0);
        }
        double weights = 0;
        double meanX = 0;
        double meanY = 0;
        double meanXx = 0;
        double meanXy = 0;
        for (int i = from; i < ends.size(); i++) {
            double weight = tokens.get(i);
            double seconds = ends.get(i) - ends.get(i - 1);
            double x = 2 / (ends.get(i) + ends.get(i - 1));
            weights += weight;
            meanX += weight * x;
            meanY += seconds;
            meanXx += weight * x * x;
            meanXy += seconds * x;
        }
        meanX /= weights;
        meanY /= weights;
        double slope = (meanXy / weights - meanX * meanY) / (meanXx / weights - meanX * meanX);
        // The line goes through the means: with this slope the steady part is LEAST_STEADY of the last speed.
        double most = meanY * (1 - LEAST_STEADY) / (LEAST_STEADY / seconds() + meanX * (1 - LEAST_STEADY));
        double atStart = Math.max(0, Math.min(most, slope));
        return new Curve(meanY - atStart * meanX, atStart);
    }
}
