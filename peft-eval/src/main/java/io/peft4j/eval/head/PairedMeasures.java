package io.peft4j.eval.head;

import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.PairedDifference;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.PairedOutcomes;
import io.peft4j.eval.metric.CountMetric;
import io.peft4j.eval.report.TaskArm.Score;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.statistics.Resampled;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.math3.stat.interval.ConfidenceInterval;
import org.apache.commons.math3.stat.interval.WilsonScoreInterval;

/**
 * Measures of two arms on the same rows: each arm's score with its interval (Wilson's of yes/no outcomes, BCa of
 * others), and for those that are compared the difference with its test. Items of one row are drawn, and exchanged,
 * together ({@link Clusters}). The metric that decides is tested alone; other p-values are corrected
 * among the outcomes and, apart from them, among the losses.
 */
final class PairedMeasures {
    /** Draws of statistics that look at all items each time. */
    private static final int MOST_DRAWS = 1000;
    private static final double CHANCE = 0.95;

    private final Bootstrap bootstrap;
    private final Clusters clusters;
    private final PairedOutcomes outcomes;
    private final PairedOutcomes losses;
    private final Map<String, Score> base = new LinkedHashMap<>();
    private final Map<String, Score> tuned = new LinkedHashMap<>();

    PairedMeasures(ComparisonOptions options) {
        this(options, Clusters.NONE);
    }

    PairedMeasures(ComparisonOptions options, Clusters clusters) {
        this.bootstrap = options.bootstrap();
        this.clusters = clusters;
        this.outcomes = new PairedOutcomes(options);
        this.losses = new PairedOutcomes(options);
    }

    /** Yes/no outcomes, compared by McNemar's exact test, and where items belong together by a permutation test. */
    void yesNo(String name, boolean[] ofBase, boolean[] ofTuned) {
        if (!clusters.isNone()) {
            values(name, numbers(ofBase), numbers(ofTuned));
            return;
        }
        outcomes.yesNo(name, ofBase, ofTuned);
        base.put(name, share(ofBase));
        tuned.put(name, share(ofTuned));
    }

    /** Scores from 0 to 1, compared by a permutation test. */
    void scores(String name, double[] ofBase, double[] ofTuned) {
        outcomes.scores(name, ofBase, ofTuned);
        means(name, ofBase, ofTuned);
    }

    /** Log-probabilities in nats, compared by a permutation test. */
    void nats(String name, double[] ofBase, double[] ofTuned) {
        outcomes.nats(name, clusters.sums(ofBase), clusters.sums(ofTuned));
        means(name, ofBase, ofTuned);
    }

    /** Values of any size, compared by a permutation test. */
    void values(String name, double[] ofBase, double[] ofTuned) {
        outcomes.values(name, clusters.sums(ofBase), clusters.sums(ofTuned));
        means(name, ofBase, ofTuned);
    }

    /** Losses, of which lower ones are better, compared by a permutation test. */
    void losses(String name, double[] ofBase, double[] ofTuned) {
        losses.losses(name, clusters.sums(ofBase), clusters.sums(ofTuned));
    }

    /** A statistic of which lower values are better, compared by approximate randomization. */
    void losses(String name, PairedDifference difference) {
        losses.losses(name, difference, MOST_DRAWS);
    }

    /** Counts, compared by approximate randomization. */
    void counts(CountMetric metric, List<double[]> ofBase, List<double[]> ofTuned) {
        outcomes.corpus(metric, ofBase, ofTuned);
        shown(metric, ofBase, ofTuned);
    }

    /** Counts that are shown and not compared: each test makes the others stricter. */
    void shown(CountMetric metric, List<double[]> ofBase, List<double[]> ofTuned) {
        base.put(metric.name(), pooled(metric, ofBase));
        tuned.put(metric.name(), pooled(metric, ofTuned));
    }

    /** Means that are shown and not compared. */
    void means(String name, double[] ofBase, double[] ofTuned) {
        means(name, ofBase, ofTuned, clusters);
    }

    /** Means of other items. */
    void means(String name, double[] ofBase, double[] ofTuned, Clusters together) {
        base.put(name, mean(together.values(ofBase)));
        tuned.put(name, mean(together.values(ofTuned)));
    }

    static double[] numbers(boolean... values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i] ? 1 : 0).toArray();
    }

    /** Statistics that are shown with their intervals and not compared. */
    void resampled(String name, Resampled ofBase, Resampled ofTuned) {
        base.put(name, Score.share(ofBase.ofAll(), few().of(clusters.of(ofBase))));
        tuned.put(name, Score.share(ofTuned.ofAll(), few().of(clusters.of(ofTuned))));
    }

    /**
     * Errors that chance makes larger, such as those of calibration, shown and not compared. BCa and quantiles of
     * draws, which chance makes larger once more, left out the error itself. The interval is the
     * {@linkplain Bootstrap#basic basic} one, from 0 on where chance alone makes such an error, and at least to the
     * error. On simulated answers (60 to 450) it held the error of infinitely many in 77 to 96 % of all cases,
     * quantiles in 0 to 92.
     *
     * @param ofChance errors that probabilities have which are exact; at or below the {@value #CHANCE} quantile of
     *     them, nothing says that there is an error
     */
    void errors(String name, Resampled ofBase, double[] baseOfChance, Resampled ofTuned, double[] tunedOfChance) {
        base.put(name, error(ofBase, baseOfChance));
        tuned.put(name, error(ofTuned, tunedOfChance));
    }

    private Score error(Resampled items, double... ofChance) {
        double value = items.ofAll();
        Interval basic = few().basic(clusters.of(items));
        double chance = Arrays.stream(ofChance).sorted().toArray()[(int) (CHANCE * ofChance.length)];
        double low = value <= chance ? 0 : Math.max(0, Math.min(value, basic.low()));
        return Score.share(value, new Interval(low, Math.max(value, basic.high()), basic.level()));
    }

    private Bootstrap few() {
        return bootstrap.withResamples(Math.min(bootstrap.resamples(), MOST_DRAWS));
    }

    /** Numbers without an interval. */
    void number(String name, double ofBase, double ofTuned) {
        base.put(name, Score.of(ofBase, Optional.empty()));
        tuned.put(name, Score.of(ofTuned, Optional.empty()));
    }

    private Score share(boolean[] outcomes) {
        int right = (int) IntStream.range(0, outcomes.length).filter(i -> outcomes[i]).count();
        ConfidenceInterval wilson = new WilsonScoreInterval().createInterval(outcomes.length, right,
                bootstrap.level());
        return Score.share((double) right / outcomes.length, new Interval(
                Math.max(0, wilson.getLowerBound()), Math.min(1, wilson.getUpperBound()), bootstrap.level()));
    }

    /** Of scores from 0 to 1 an interval that is not of no width where all are alike. */
    private Score mean(double[] values) {
        double mean = Arrays.stream(values).average().orElseThrow();
        if (!Arrays.stream(values).allMatch(value -> value >= 0 && value <= 1)) {
            return Score.of(mean, Optional.of(bootstrap.of(Resampled.mean(values))));
        }
        Interval interval = bootstrap.ofDifferences(values);
        return Score.share(mean, new Interval(Math.max(0, interval.low()), Math.min(1, interval.high()),
                interval.level()));
    }

    private Score pooled(CountMetric metric, List<double[]> items) {
        double[] sums = new double[items.get(0).length];
        items.forEach(item -> Arrays.setAll(sums, j -> sums[j] + item[j]));
        return Score.share(metric.score(sums), ClassCounts.interval(metric, items, bootstrap));
    }

    Map<String, Score> base() {
        return base;
    }

    Map<String, Score> tuned() {
        return tuned;
    }

    List<MetricResult> results(String deciding) {
        return Stream.concat(outcomes.results(deciding).stream(), losses.results(deciding).stream()).toList();
    }
}
