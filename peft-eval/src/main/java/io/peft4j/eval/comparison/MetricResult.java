package io.peft4j.eval.comparison;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.eval.statistics.Interval;
import java.util.Objects;

/**
 * One metric of a base and a tuned model on the same items.
 *
 * @param name the metric, for instance {@code token_f1}
 * @param items number of items, n
 * @param scale the largest value that the metric can have: 1, or 100 for BLEU and chrF; 0 for log-probabilities, which
 *     are in nats and no shares
 * @param base the base model's score
 * @param tuned the tuned model's score
 * @param interval confidence interval of {@link #difference()}
 * @param pValue of the test, two-sided
 * @param pAdjusted what is held against alpha: of the metric that decides the p-value as it is, of others corrected by
 *     Holm for their number
 * @param test {@code mcnemar_exact} for yes/no outcomes, {@code permutation} or {@code wilcoxon} for scores,
 *     {@code approximate_randomization} for corpus metrics
 * @param standardDeviation of the items' differences; for corpus metrics of the jackknife's pseudo-values
 * @param effectSize Cohen's d of the paired differences: difference / standard deviation, 0 where both are 0
 * @param detectable the smallest difference that so many items show with 80 % power
 * @param lowerIsBetter whether lower scores are better ones, as of the Brier score
 */
public record MetricResult(String name, int items, double scale, double base, double tuned, Interval interval,
        double pValue, double pAdjusted, String test, double standardDeviation, double effectSize,
        double detectable, boolean lowerIsBetter) {
    /** Who surely reaches such a share of the scale leaves nothing to gain that is worth a training. */
    public static final double NEARLY_ALL = 0.9;

    /** Refuses null. */
    public MetricResult {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(interval, "interval");
        Objects.requireNonNull(test, "test");
    }

    /** {@code tuned - base}. */
    public double difference() {
        return tuned - base;
    }

    /** By how much tuned is better: the difference, negated where lower scores are better ones. */
    public double gain() {
        return lowerIsBetter ? -difference() : difference();
    }

    /** The confidence interval of {@link #gain()}. */
    public Interval gainInterval() {
        return lowerIsBetter ? new Interval(-interval.high(), -interval.low(), interval.level()) : interval;
    }

    /** How far apart differences can be; infinite without such a limit, or the interval excludes 0. */
    public double range() {
        return isInNats() || !interval.contains(0) ? Double.POSITIVE_INFINITY : 2 * scale;
    }

    /** Puts {@code difference} with its interval, {@code ci_low} and {@code ci_high}. */
    public ObjectNode putDifference(ObjectNode node) {
        interval.putInto(node.put("difference", difference()), "ci", range());
        return node;
    }

    /** Whether values are log-probabilities in nats, which are no shares of a largest value. */
    public boolean isInNats() {
        return scale == 0;
    }

    /** What a gain that is worth having is a share of: the scale, or one nat. */
    public double unit() {
        return isInNats() ? 1 : scale;
    }

    /** Whether tuned is better than chance explains. */
    public boolean isBetter(double alpha) {
        return pAdjusted < alpha && gainInterval().low() > 0;
    }

    /** Whether tuned is worse than chance explains. */
    public boolean isWorse(double alpha) {
        return pAdjusted < alpha && gainInterval().high() < 0;
    }

    /** Whether base surely answers {@link #NEARLY_ALL} already. */
    public boolean isBaseNearlyPerfect() {
        return !isInNats() && !lowerIsBetter
                && Interval.ofShare(base / scale, items, interval.level()).low() >= NEARLY_ALL;
    }

    /** The same with a p-value that is corrected for the number of tests. */
    public MetricResult withAdjusted(double p) {
        return new MetricResult(name, items, scale, base, tuned, interval, pValue, p, test, standardDeviation,
                effectSize, detectable, lowerIsBetter);
    }
}
