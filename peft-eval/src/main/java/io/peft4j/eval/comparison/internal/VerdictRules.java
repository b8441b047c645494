package io.peft4j.eval.comparison.internal;

import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.statistics.Interval;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.apache.commons.math3.distribution.NormalDistribution;

/**
 * From results to a verdict. One metric, chosen before the answers are seen, decides; in this order:
 * <ol>
 * <li>Held-out items that the model was trained on: do not ship, the figures mean nothing.
 * <li>The metric is worse than chance explains (its corrected p below alpha): do not ship.
 * <li>The guard set is worse than chance explains, by more than the tolerance: do not ship.
 * <li>The metric is better than chance explains: ship.
 * <li>A gain worth shipping is ruled out (the one-sided upper bound lies below it): do not ship.
 * <li>Else more items are needed: so many that the observed gain, or the smallest worthwhile one if that is larger,
 * would show with the options' power.
 * </ol>
 */
public final class VerdictRules {
    private static final int MOST_ITEMS = 1_000_000;

    private final ComparisonOptions options;

    /** Rules with the thresholds of these options. */
    public VerdictRules(ComparisonOptions options) {
        this.options = Objects.requireNonNull(options, "options");
    }

    /**
     * The verdict.
     *
     * @param metric the metric that decides
     * @param others all other metrics, which are mentioned where they got worse
     * @param guard the share of right answers on the guard set, where it was run
     * @param leaked number of held-out items that also stand in the training data, where that was checked
     */
    public Verdict decide(MetricResult metric, List<MetricResult> others, Optional<MetricResult> guard, int leaked) {
        double alpha = options.power().alpha();
        String figures = figures(metric);
        if (leaked > 0) {
            return no(String.format(Locale.ROOT, "%d of %d held-out items also stand in the training data, so the "
                    + "figures say nothing about new questions; take them out and evaluate again. Measured were %s.",
                    leaked, metric.items(), figures));
        }
        if (metric.isWorse(alpha)) {
            return no("The tuned model is worse: " + figures + ".");
        }
        Optional<String> forgotten = guard.filter(g -> g.isWorse(alpha) && -g.difference() > options.guardTolerance())
                .map(g -> "on the guard set of general ability " + figures(g));
        if (forgotten.isPresent()) {
            return no((metric.isBetter(alpha) ? "Better on the task, but it forgot too much: "
                    : "It forgot too much: ") + forgotten.get() + "; on the task " + figures + ".");
        }
        if (metric.isBetter(alpha)) {
            return new Verdict(Verdict.Decision.SHIP, 0, capitalized(figures) + "." + besides(others, guard, alpha));
        }
        double worthwhile = options.worthwhile() * metric.scale();
        if (upperBound(metric, alpha) < worthwhile) {
            return no(String.format(Locale.ROOT, "No gain worth shipping: %s. A gain of %s or more is ruled out.",
                    figures, points(worthwhile / metric.scale())));
        }
        return undecided(metric, worthwhile, figures);
    }

    private Verdict undecided(MetricResult metric, double worthwhile, String figures) {
        double gain = Math.max(metric.difference(), worthwhile);
        // Few items may show no spread at all; no set of answers is that uniform.
        double deviation = Math.max(metric.standardDeviation(), metric.interval().deviation(metric.items()));
        int total = Math.min(MOST_ITEMS, options.power().itemsNeeded(deviation, gain));
        // An estimate below the number that was not enough would be absurd.
        int more = rounded(Math.max(total - metric.items(), Math.max(1, metric.items() / 2)));
        return new Verdict(Verdict.Decision.NEED_MORE_ITEMS, more, String.format(Locale.ROOT,
                "%d items cannot tell: %s. About %,d more items would show a gain of %s with %.0f %% power.",
                metric.items(), figures, more, points(gain / metric.scale()), 100 * options.power().power()));
    }

    /** The one-sided bound, from the two-sided interval: its upper half shrunk by the ratio of the quantiles. */
    private static double upperBound(MetricResult metric, double alpha) {
        NormalDistribution normal = new NormalDistribution(null, 0, 1);
        double ratio = normal.inverseCumulativeProbability(1 - alpha)
                / normal.inverseCumulativeProbability(0.5 + metric.interval().level() / 2);
        return metric.difference() + ratio * (metric.interval().high() - metric.difference());
    }

    private static Verdict no(String sentence) {
        return new Verdict(Verdict.Decision.DO_NOT_SHIP, 0, sentence);
    }

    private static String besides(List<MetricResult> others, Optional<MetricResult> guard, double alpha) {
        List<String> worse = new ArrayList<>();
        others.stream().filter(other -> other.isWorse(alpha)).forEach(other -> worse.add(figures(other)));
        String text = worse.isEmpty() ? "" : " Worse got: " + String.join("; ", worse) + ".";
        return text + guard.map(g -> " Guard set of general ability: " + figures(g) + ".").orElse("");
    }

    private static int rounded(int items) {
        int unit = items < 50 ? 5 : items < 500 ? 10 : items < 5000 ? 100 : 1000;
        return (items + unit - 1) / unit * unit;
    }

    /**
     * {@code 81 % of answers hold the expected fact against 5 %, difference 76 points [66, 84] on 88 items, p < ...}.
     */
    static String figures(MetricResult metric) {
        double percent = 100 / metric.scale();
        Interval interval = metric.interval();
        return String.format(Locale.ROOT, "%s against %s, difference %s points [%s, %s] on %d items, p %s",
                named(metric), metric.scale() == 1 ? share(metric.base()) : decimal(metric.base()),
                decimal(percent * metric.difference()), decimal(percent * interval.low()),
                decimal(percent * interval.high()), metric.items(), p(metric.pAdjusted()));
    }

    private static String named(MetricResult metric) {
        return switch (metric.name()) {
            case "contains" -> share(metric.tuned()) + " of answers hold the expected fact";
            case "exact_match" -> share(metric.tuned()) + " of answers match exactly";
            case "guard" -> share(metric.tuned()) + " right";
            default -> metric.name() + " "
                    + (metric.scale() == 1 ? share(metric.tuned()) : decimal(metric.tuned()));
        };
    }

    private static String share(double value) {
        return decimal(100 * value) + " %";
    }

    /** Whole numbers where they are large enough to tell apart. */
    private static String decimal(double value) {
        double rounded = Math.abs(value) >= 10 ? Math.rint(value) : Math.rint(10 * value) / 10;
        return rounded == Math.rint(rounded) ? Long.toString((long) rounded) : Double.toString(rounded);
    }

    private static String points(double share) {
        return decimal(100 * share) + " points";
    }

    private static String p(double value) {
        return value < 0.0001 ? "< 0.0001" : String.format(Locale.ROOT, "= %.2g", value);
    }

    private static String capitalized(String text) {
        return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }
}
