package io.peft4j.eval.statistics;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The differences that the permutation test of the mean ({@link PairedTests#permutation}) does not reject: an interval
 * of the centre of symmetric differences. Its ends are quantiles of the means of all subsets of the differences
 * (Hartigan 1969, "Using subsample values as typical values"): flipping the signs of a subset leads away from a centre
 * exactly where the subset's mean is beyond it. Two models that do not differ give symmetric differences, whatever
 * their distribution, so that it holds 0 with at least its level for any number of items; no other interval of scores
 * can promise that.
 */
final class SignFlips {
    /** Subsets of up to so many differences are all taken, of more a sample. */
    private static final int ALL_SUBSETS = 16;
    /** 0.025 times 10,000 is a little more than 250 in doubles. */
    private static final double ROUNDING = 1e-9;

    private SignFlips() {
    }

    /**
     * The interval; of fewer than 6 differences the whole line at 95 %.
     *
     * @param draws number of subsets, where not all are taken
     * @param seed seed of the draws
     */
    public static Interval interval(double[] differences, double level, int draws, long seed) {
        int n = differences.length;
        int total = n <= ALL_SUBSETS ? 1 << n : draws;
        double[] means = n <= ALL_SUBSETS ? ofAllSubsets(differences) : ofDrawnSubsets(differences, draws, seed);
        Arrays.sort(means);
        // The empty subset, which flips nothing, counts as beyond every centre.
        int rank = (int) Math.ceil((1 - level) / 2 * total - ROUNDING) - (total - means.length);
        return rank < 1 ? new Interval(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, level)
                : new Interval(means[rank - 1], means[means.length - rank], level);
    }

    private static double[] ofAllSubsets(double[] differences) {
        double[] means = new double[(1 << differences.length) - 1];
        for (int subset = 1; subset <= means.length; subset++) {
            double sum = 0;
            for (int i = 0; i < differences.length; i++) {
                sum += (subset >> i & 1) == 0 ? 0 : differences[i];
            }
            means[subset - 1] = sum / Integer.bitCount(subset);
        }
        return means;
    }

    private static double[] ofDrawnSubsets(double[] differences, int draws, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        double[] means = new double[draws];
        int count = 0;
        for (int b = 0; b < draws; b++) {
            double sum = 0;
            int size = 0;
            long bits = 0;
            for (int i = 0; i < differences.length; i++) {
                bits = (i & 63) == 0 ? random.nextLong() : bits >>> 1;
                sum += (bits & 1) == 0 ? 0 : differences[i];
                size += (int) (bits & 1);
            }
            if (size > 0) {
                means[count++] = sum / size;
            }
        }
        return Arrays.copyOf(means, count);
    }
}
