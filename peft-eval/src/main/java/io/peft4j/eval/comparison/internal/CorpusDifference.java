package io.peft4j.eval.comparison.internal;

import io.peft4j.eval.metric.internal.CountMetric;
import io.peft4j.eval.statistics.Resampled;
import java.util.List;
import java.util.SplittableRandom;

/** The difference of a metric of counts between two sets of answers, for any choice of the items. */
final class CorpusDifference implements Resampled {
    private final CountMetric metric;
    private final double[][] base;
    private final double[][] tuned;
    private final double[] baseSums;
    private final double[] tunedSums;

    CorpusDifference(CountMetric metric, List<double[]> base, List<double[]> tuned) {
        this.metric = metric;
        this.base = base.toArray(double[][]::new);
        this.tuned = tuned.toArray(double[][]::new);
        this.baseSums = sums(this.base);
        this.tunedSums = sums(this.tuned);
    }

    private static double[] sums(double[][] rows) {
        double[] sums = new double[rows[0].length];
        for (double[] row : rows) {
            add(sums, row, 1);
        }
        return sums;
    }

    private static void add(double[] sums, double[] row, int sign) {
        for (int j = 0; j < sums.length; j++) {
            sums[j] += sign * row[j];
        }
    }

    double base() {
        return metric.score(baseSums);
    }

    double tuned() {
        return metric.score(tunedSums);
    }

    @Override
    public int size() {
        return base.length;
    }

    @Override
    public double ofAll() {
        return tuned() - base();
    }

    @Override
    public double of(int[] places) {
        double[] first = new double[baseSums.length];
        double[] second = new double[baseSums.length];
        for (int place : places) {
            add(first, base[place], 1);
            add(second, tuned[place], 1);
        }
        return metric.score(second) - metric.score(first);
    }

    @Override
    public double without(int place) {
        double[] first = baseSums.clone();
        double[] second = tunedSums.clone();
        add(first, base[place], -1);
        add(second, tuned[place], -1);
        return metric.score(second) - metric.score(first);
    }

    /** By the jackknife: {@code sqrt(n)} times its standard error, comparable to that of single differences. */
    double standardDeviation() {
        int n = size();
        if (n < 2) {
            return 0;
        }
        double mean = 0;
        double[] without = new double[n];
        for (int i = 0; i < n; i++) {
            without[i] = without(i);
            mean += without[i] / n;
        }
        double square = 0;
        for (double value : without) {
            square += (value - mean) * (value - mean);
        }
        return Math.sqrt((n - 1) * square);
    }

    /** The p-value of approximate randomization: each item's two answers may as well have been exchanged. */
    double randomization(int draws, long seed) {
        double observed = Math.abs(ofAll()) - 1e-12;
        SplittableRandom random = new SplittableRandom(seed);
        int far = 0;
        for (int b = 0; b < draws; b++) {
            double[] first = new double[baseSums.length];
            double[] second = new double[baseSums.length];
            for (int i = 0; i < base.length; i++) {
                boolean exchanged = random.nextBoolean();
                add(first, exchanged ? tuned[i] : base[i], 1);
                add(second, exchanged ? base[i] : tuned[i], 1);
            }
            far += Math.abs(metric.score(second) - metric.score(first)) >= observed ? 1 : 0;
        }
        return (far + 1.0) / (draws + 1.0);
    }
}
