package io.peft4j.eval.statistics;

import org.apache.commons.math3.distribution.TDistribution;

/**
 * How large a difference so many items can show, and how many a difference needs: the paired t-test's
 * {@code n = ((t(1 - alpha/2) + t(power)) sd / difference)^2} with n - 1 degrees of freedom.
 *
 * @param alpha chance of seeing a difference where none exists, two-sided
 * @param power chance of seeing one that is there
 */
public record Power(double alpha, double power) {
    private static final int MOST = 100_000_000;

    /** Checks the ranges. */
    public Power {
        if (!(alpha > 0 && alpha < 1) || !(power > 0 && power < 1)) {
            throw new IllegalArgumentException("alpha " + alpha + " and power " + power + " must be between 0 and 1");
        }
    }

    /** 5 % and 80 %. */
    public static Power defaults() {
        return new Power(0.05, 0.8);
    }

    /**
     * The smallest difference that n items show with this power.
     *
     * @param standardDeviation of the paired differences
     * @param items n, at least 2
     */
    public double detectable(double standardDeviation, int items) {
        if (items < 2) {
            return Double.POSITIVE_INFINITY;
        }
        return quantiles(items) * standardDeviation / Math.sqrt(items);
    }

    /**
     * The number of items that show a difference with this power; at most 100 million.
     *
     * @param standardDeviation of the paired differences
     * @param difference above 0
     */
    public int itemsNeeded(double standardDeviation, double difference) {
        if (!(difference > 0) || !(standardDeviation >= 0)) {
            throw new IllegalArgumentException("a difference of " + difference + " with a deviation of "
                    + standardDeviation);
        }
        int low = 2;
        int high = MOST;
        while (low < high) {
            int middle = low + (high - low) / 2;
            if (detectable(standardDeviation, middle) <= difference) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    private double quantiles(int items) {
        TDistribution t = new TDistribution(null, items - 1);
        return t.inverseCumulativeProbability(1 - alpha / 2) + t.inverseCumulativeProbability(power);
    }
}
