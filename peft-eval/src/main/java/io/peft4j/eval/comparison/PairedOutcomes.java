package io.peft4j.eval.comparison;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.metric.CountMetric;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.statistics.Holm;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.statistics.PairedTests;
import io.peft4j.eval.statistics.Spread;
import io.peft4j.eval.statistics.TangoInterval;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.PrimitiveIterator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Outcomes of a base and a tuned model on the same items, metric by metric, and what the differences are worth: for
 * yes/no outcomes Tango's interval and McNemar's exact test, for scores BCa intervals of the paired differences and a
 * permutation or Wilcoxon's test, for corpus metrics BCa intervals and approximate randomization. The metric that
 * decides, chosen before the answers are seen, is tested alone; Holm's correction is over all others.
 *
 * <pre>{@code
 * List<MetricResult> results = new PairedOutcomes(ComparisonOptions.defaults())
 *         .yesNo("contains", base, tuned).results("contains");
 * }</pre>
 */
@Internal
public final class PairedOutcomes {
    /** Draws of statistics that look at all items each time. */
    private static final int MOST_DRAWS = 2000;

    private final ComparisonOptions options;
    private final List<MetricResult> results = new ArrayList<>();

    /** No metric yet. */
    public PairedOutcomes(ComparisonOptions options) {
        this.options = Objects.requireNonNull(options, "options");
    }

    /**
     * Adds yes/no outcomes.
     *
     * @throws ConfigurationException when the numbers of items differ or are 0
     */
    public PairedOutcomes yesNo(String name, boolean[] base, boolean[] tuned) {
        check(name, base.length, tuned.length);
        int onlyBase = 0;
        int onlyTuned = 0;
        for (int i = 0; i < base.length; i++) {
            onlyBase += base[i] && !tuned[i] ? 1 : 0;
            onlyTuned += tuned[i] && !base[i] ? 1 : 0;
        }
        double p = PairedTests.mcNemar(onlyBase, onlyTuned);
        Interval interval = TangoInterval.of(onlyBase, onlyTuned, base.length, options.bootstrap().level());
        return add(name, 1, false, values(base), values(tuned), interval, p, "mcnemar_exact");
    }

    private static double[] values(boolean[] outcomes) {
        return IntStream.range(0, outcomes.length).mapToDouble(i -> outcomes[i] ? 1 : 0).toArray();
    }

    /**
     * Adds scores from 0 to 1.
     *
     * @throws ConfigurationException when the numbers of items differ or are 0, or a score is not from 0 to 1
     */
    public PairedOutcomes scores(String name, double[] base, double[] tuned) {
        check(name, base.length, tuned.length);
        double[] differences = new double[base.length];
        for (int i = 0; i < base.length; i++) {
            if (!(base[i] >= 0 && base[i] <= 1) || !(tuned[i] >= 0 && tuned[i] <= 1)) {
                throw new ConfigurationException(name + " of item " + (i + 1) + " is "
                        + (base[i] >= 0 && base[i] <= 1 ? tuned[i] : base[i]) + "; a score must be from 0 to 1");
            }
            differences[i] = tuned[i] - base[i];
        }
        boolean ranks = options.scoreTest() == ComparisonOptions.ScoreTest.WILCOXON;
        double p = ranks ? PairedTests.wilcoxon(differences)
                : PairedTests.permutation(differences, options.bootstrap().resamples(), options.bootstrap().seed());
        return add(name, 1, false, base, tuned, options.bootstrap().ofDifferences(differences), p,
                ranks ? "wilcoxon" : "permutation");
    }

    /**
     * Adds log-probabilities, which are in nats and of any size. The interval is that of {@link #values}.
     *
     * @throws ConfigurationException when the numbers of items differ or are 0, or a value is not finite
     */
    public PairedOutcomes nats(String name, double[] base, double[] tuned) {
        return values(name, 0, false, base, tuned);
    }

    /**
     * Adds values of any size with a largest one of 1, such as shares explained. The interval is that of the
     * differences as shares of the largest one.
     *
     * @throws ConfigurationException when the numbers of items differ or are 0, or a value is not finite
     */
    public PairedOutcomes values(String name, double[] base, double[] tuned) {
        return values(name, 1, false, base, tuned);
    }

    /**
     * Adds losses, values of any size of which lower ones are better. The interval is that of {@link #values}.
     *
     * @throws ConfigurationException when the numbers of items differ or are 0, or a value is not finite
     */
    public PairedOutcomes losses(String name, double[] base, double[] tuned) {
        return values(name, 1, true, base, tuned);
    }

    private PairedOutcomes values(String name, double scale, boolean lower, double[] base, double[] tuned) {
        check(name, base.length, tuned.length);
        double largest = 0;
        double[] differences = new double[base.length];
        for (int i = 0; i < base.length; i++) {
            differences[i] = tuned[i] - base[i];
            if (!Double.isFinite(differences[i])) {
                throw new ConfigurationException(name + " of item " + (i + 1) + " is " + base[i] + " and " + tuned[i]
                        + "; both must be finite");
            }
            largest = Math.max(largest, Math.abs(differences[i]));
        }
        double unit = largest == 0 ? 1 : largest;
        double[] shares = Arrays.stream(differences).map(d -> d / unit).toArray();
        Interval ofShares = options.bootstrap().ofDifferences(shares);
        return add(name, scale, lower, base, tuned,
                new Interval(unit * ofShares.low(), unit * ofShares.high(), ofShares.level()),
                PairedTests.permutation(shares, options.bootstrap().resamples(), options.bootstrap().seed()),
                "permutation");
    }

    private PairedOutcomes add(String name, double scale, boolean lower, double[] base, double[] tuned,
            Interval interval, double p, String test) {
        double[] differences = IntStream.range(0, base.length).mapToDouble(i -> tuned[i] - base[i]).toArray();
        Spread spread = Spread.of(differences);
        results.add(
                new MetricResult(name, base.length, scale, Spread.of(base).mean(), Spread.of(tuned).mean(), interval,
                        p, p, test, spread.standardDeviation(), spread.effectSize(),
                        detectable(spread.standardDeviation(), interval, base.length), lower));
        return this;
    }

    /** Few items may show no spread at all; no set of answers is that uniform. */
    private double detectable(double deviation, Interval interval, int items) {
        return options.power().detectable(Math.max(deviation, interval.deviation(items)), items);
    }

    /**
     * Adds a metric that is computed from counts.
     *
     * @param base the counts of each answer of the base model
     * @param tuned the counts of each answer of the tuned model
     * @throws ConfigurationException when the numbers of items differ or are 0
     */
    public PairedOutcomes corpus(CountMetric metric, List<double[]> base, List<double[]> tuned) {
        check(metric.name(), base.size(), tuned.size());
        return add(metric.name(), metric.scale(), false, new CorpusDifference(metric, base, tuned), MOST_DRAWS);
    }

    /**
     * Adds a statistic of all answers from 0 to 1, of which lower ones are better, such as the area under a curve.
     *
     * @param draws the most draws of its interval and test
     * @throws ConfigurationException when there is no item
     */
    public PairedOutcomes losses(String name, PairedDifference difference, int draws) {
        check(name, difference.size(), difference.size());
        return add(name, 1, true, difference, draws);
    }

    private PairedOutcomes add(String name, double scale, boolean lower, PairedDifference difference, int most) {
        int draws = Math.min(options.bootstrap().resamples(), most);
        double deviation = jackknife(difference);
        double estimate = difference.ofAll();
        double p = randomization(difference, draws, options.bootstrap().seed());
        Interval interval = interval(difference, scale, draws);
        results.add(new MetricResult(name, difference.size(), scale, difference.base(), difference.tuned(), interval,
                p, p, "approximate_randomization", deviation, estimate == 0 ? 0 : estimate / deviation,
                detectable(deviation, interval, difference.size()), lower));
        return this;
    }

    /** {@code sqrt(n)} times the standard error by the jackknife, comparable to that of single differences. */
    private static double jackknife(PairedDifference difference) {
        int n = difference.size();
        if (n < 2) {
            return 0;
        }
        double[] without = IntStream.range(0, n).mapToDouble(difference::without).toArray();
        double mean = Arrays.stream(without).sum() / n;
        return Math.sqrt((n - 1) * Arrays.stream(without).map(value -> (value - mean) * (value - mean)).sum());
    }

    /** The p-value of approximate randomization: each item's two answers may as well have been exchanged. */
    private static double randomization(PairedDifference difference, int draws, long seed) {
        double observed = Math.abs(difference.ofAll()) - 1e-12;
        SplittableRandom random = new SplittableRandom(seed);
        boolean[] exchanged = new boolean[difference.size()];
        int far = 0;
        for (int b = 0; b < draws; b++) {
            for (int i = 0; i < exchanged.length; i++) {
                exchanged[i] = random.nextBoolean();
            }
            far += Math.abs(difference.exchanged(exchanged)) >= observed ? 1 : 0;
        }
        return (far + 1.0) / (draws + 1.0);
    }

    private Interval interval(PairedDifference difference, double scale, int draws) {
        Bootstrap bootstrap = options.bootstrap();
        int items = difference.size();
        if (items == 1) {
            // A single answer says nothing of the spread.
            return new Interval(-scale, scale, bootstrap.level());
        }
        Interval interval = bootstrap.withResamples(draws).of(difference);
        if (interval.low() < interval.high()) {
            return interval;
        }
        // Nor do answers that are all alike, such as those without any match: as of so many equal scores.
        double half = scale * bootstrap.ofDifferences(new double[items]).high();
        return new Interval(Math.max(-scale, interval.low() - half), Math.min(scale, interval.high() + half),
                bootstrap.level());
    }

    private static void check(String name, int base, int tuned) {
        if (base != tuned || base == 0) {
            throw new ConfigurationException(name + ": " + base + " outcomes of the base model and " + tuned
                    + " of the tuned one; the numbers must be equal and at least 1");
        }
    }

    /** The results in the order in which the metrics were added, with p-values corrected for all of them. */
    public List<MetricResult> results() {
        return results("");
    }

    /**
     * The results in the order in which the metrics were added. One test needs no correction; those of the metrics that
     * do not decide are corrected for their number.
     */
    public List<MetricResult> results(String deciding) {
        PrimitiveIterator.OfDouble adjusted = Arrays.stream(Holm.adjust(results.stream()
                .filter(result -> !result.name().equals(deciding)).mapToDouble(MetricResult::pValue).toArray()))
                .iterator();
        return results.stream().map(result -> result.name().equals(deciding) ? result
                : result.withAdjusted(adjusted.nextDouble())).toList();
    }

    /** The difference of a metric of counts between two sets of answers, for any choice of the items. */
    private static final class CorpusDifference implements PairedDifference {
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

        @Override
        public double base() {
            return metric.score(baseSums);
        }

        @Override
        public double tuned() {
            return metric.score(tunedSums);
        }

        @Override
        public int size() {
            return base.length;
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

        @Override
        public double exchanged(boolean[] items) {
            double[] first = new double[baseSums.length];
            double[] second = new double[baseSums.length];
            for (int i = 0; i < items.length; i++) {
                add(first, items[i] ? tuned[i] : base[i], 1);
                add(second, items[i] ? base[i] : tuned[i], 1);
            }
            return metric.score(second) - metric.score(first);
        }
    }
}
