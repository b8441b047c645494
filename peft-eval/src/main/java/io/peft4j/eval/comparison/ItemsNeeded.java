package io.peft4j.eval.comparison;

import java.util.Objects;

/**
 * How many more items a decision needs: always a number with which the tests can decide. It is the number at which the
 * paired t-test has the options' power, but at least as many as an exact test needs to reach alpha after Holm's
 * correction (with k items that all change the same way its p-value is 2 / 2^k), and at least half as many again as
 * were not enough.
 */
final class ItemsNeeded {
    private static final int MOST = 1_000_000;
    /** Nearer to the accepted loss than this share of it no number of items that somebody would collect can tell. */
    private static final double NEAR = 0.2;
    /** The smallest loss that numbers of guard items are computed for. */
    private static final double SMALLEST_LOSS = 0.005;

    private final ComparisonOptions options;

    /** Numbers for these thresholds. */
    public ItemsNeeded(ComparisonOptions options) {
        this.options = Objects.requireNonNull(options, "options");
    }

    /**
     * The fewest items that all change the same way with which an exact test (McNemar's, of signs, of ranks) says that
     * they do: 6 of one metric at 5 %, 7 of two.
     *
     * @param metrics number of metrics that are tested together, by Holm's correction
     */
    public int fewest(int metrics) {
        int items = 1;
        while (metrics * Math.pow(2, 1 - items) >= options.power().alpha()) {
            items++;
        }
        return items;
    }

    /**
     * How many more items are needed to show a gain.
     *
     * @param gain above 0, in the metric's own scale
     * @param metrics number of metrics that are tested together
     */
    public int toShow(MetricResult metric, double gain, int metrics) {
        double least = fewest(metrics) / Math.min(1, Math.max(changing(metric), gain / metric.unit()));
        return more(metric, Math.max(options.power().itemsNeeded(deviation(metric), gain), (int) Math.ceil(least)));
    }

    /** The share of items that change, where items are right or wrong; of scores all may. */
    private static double changing(MetricResult metric) {
        int n = metric.items();
        double squares = metric.standardDeviation() * metric.standardDeviation() * (n - 1)
                + n * metric.difference() * metric.difference();
        return metric.test().equals("mcnemar_exact") ? squares / n : 1;
    }

    /**
     * How many more guard items are needed to know whether the loss is larger than the accepted one, if it is the one
     * that is seen.
     */
    public int toBound(MetricResult guard) {
        double accepted = Math.max(SMALLEST_LOSS, options.guardTolerance());
        double gap = Math.max(Math.abs(guard.difference() + accepted), NEAR * accepted);
        return more(guard, Math.max(options.power().itemsNeeded(deviation(guard), gap), fewestGuarding()));
    }

    /** The fewest guard items that can rule out more than the accepted loss: where no answer changes at all. */
    public int fewestGuarding() {
        double accepted = Math.max(SMALLEST_LOSS, options.guardTolerance());
        int items = 1;
        while (options.bootstrap().ofDifferences(new double[items]).low() < -accepted) {
            items++;
        }
        return items;
    }

    /** Few items may show no spread at all; no set of answers is that uniform. */
    private static double deviation(MetricResult metric) {
        return Math.max(metric.standardDeviation(), metric.interval().deviation(metric.items()));
    }

    private static int more(MetricResult metric, int total) {
        // An estimate below the number that was not enough would be absurd.
        return rounded(Math.max(Math.min(MOST, total) - metric.items(), Math.max(1, metric.items() / 2)));
    }

    private static int rounded(int items) {
        int unit = items < 50 ? 5 : items < 500 ? 10 : items < 5000 ? 100 : 1000;
        return (items + unit - 1) / unit * unit;
    }
}
