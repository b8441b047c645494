package io.peft4j.eval.statistics;

import io.peft4j.core.Internal;

/**
 * Whether the mean of a finite set of bounded values lies above or below a bound, asked after each value that is drawn
 * from it in random order without replacement. Either answer is wrong with a probability of at most {@code alpha / 2},
 * whenever one stops: each is given once a gambler who bets against the contrary has multiplied a stake by
 * {@code 2 / alpha} ("Estimating means of bounded random variables by betting", Waudby-Smith and Ramdas, 2023; section
 * 5 for draws without replacement). With all values drawn the answer is certain.
 */
@Internal
public final class SequentialMean {
    private final double low;
    private final double width;
    private final Gambler above;
    private final Gambler below;

    /**
     * Before the first value.
     *
     * @param count of values in the set, at least 1
     * @param low the least that a value can be
     * @param high the most, above {@code low}
     * @param bound that the mean is held against, between the two
     * @param alpha probability of a wrong answer, both sides together
     */
    public SequentialMean(int count, double low, double high, double bound, double alpha) {
        if (count < 1 || !(low < high) || !(low <= bound && bound <= high) || !(alpha > 0 && alpha < 1)) {
            throw new IllegalArgumentException("a mean of " + count + " values from " + low + " to " + high
                    + " cannot be held against " + bound + " at alpha " + alpha);
        }
        this.low = low;
        this.width = high - low;
        double wealth = Math.log(2 / alpha);
        this.above = new Gambler(count, (bound - low) / width, wealth);
        this.below = new Gambler(count, (high - bound) / width, wealth);
    }

    /** Adds the next value. */
    public void add(double value) {
        double share = Math.max(0, Math.min(1, (value - low) / width));
        above.bet(share);
        below.bet(1 - share);
    }

    /** Whether the mean is above the bound. */
    public boolean isAbove() {
        return above.won;
    }

    /** Whether the mean is below the bound. */
    public boolean isBelow() {
        return below.won;
    }

    /** Bets against a mean of at most {@code mean}, of values from 0 to 1. */
    private static final class Gambler {
        /** Of what can be lost at once, this share is bet at most. */
        private static final double BOLDNESS = 0.95;

        private final double count;
        private final double mean;
        private final double goal;
        private double wealth;
        private double sum;
        private int drawn;
        /** Mean and squared differences of what was drawn and of one value of 1/2 before it, for the next bet. */
        private double center = 0.5;
        private double squares = 0.02;
        private boolean won;

        Gambler(double count, double mean, double goal) {
            this.count = count;
            this.mean = mean;
            this.goal = goal;
        }

        void bet(double value) {
            // What the mean of the values left is at most, if the one of all is.
            double left = (count * mean - sum) / (count - drawn);
            double expected = center - left;
            double variance = squares / (drawn + 1);
            double stake = left <= 0 || left >= 1 || expected <= 0 ? 0
                    : Math.min(expected / (variance + expected * expected), BOLDNESS / left);
            wealth += Math.log1p(stake * (value - left));
            sum += value;
            drawn++;
            double before = center;
            center += (value - before) / (drawn + 1);
            squares += (value - before) * (value - center);
            won |= wealth >= goal || sum > count * mean;
        }
    }
}
