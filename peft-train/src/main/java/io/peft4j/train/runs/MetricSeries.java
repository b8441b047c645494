package io.peft4j.train.runs;

import java.util.Arrays;

/**
 * The values of a metric by step, those that are numbers.
 *
 * @param name its name in {@code metrics.jsonl}, for instance {@code train_loss}
 * @param steps updates done at each value
 * @param values the values, at least one
 * @param noNumbers how many more there were that are infinite or no numbers
 */
public record MetricSeries(String name, long[] steps, double[] values, long noNumbers) {
    /** Copies the arrays. */
    public MetricSeries {
        steps = steps.clone();
        values = values.clone();
    }

    /** Updates done at each value; a copy. */
    @Override
    public long[] steps() {
        return steps.clone();
    }

    /** The values; a copy. */
    @Override
    public double[] values() {
        return values.clone();
    }

    /** The first value. */
    public double first() {
        return values[0];
    }

    /** The last value. */
    public double last() {
        return values[values.length - 1];
    }

    /** The mean of all values. */
    public double mean() {
        return Arrays.stream(values).average().orElseThrow();
    }

    /** The place of the least value in the arrays. */
    int lowest() {
        int lowest = 0;
        for (int i = 1; i < values.length; i++) {
            lowest = values[i] < values[lowest] ? i : lowest;
        }
        return lowest;
    }

    /** The steps as places in a plot. */
    public double[] places() {
        return Arrays.stream(steps).asDoubleStream().toArray();
    }

    /** Equal where names and all values are. */
    @Override
    public boolean equals(Object other) {
        return other instanceof MetricSeries series && name.equals(series.name) && noNumbers == series.noNumbers
                && Arrays.equals(steps, series.steps) && Arrays.equals(values, series.values);
    }

    /** By name and values. */
    @Override
    public int hashCode() {
        return 31 * name.hashCode() + Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return name + ": " + values.length + " values" + (values.length == 0 ? "" : ", " + first() + " to " + last());
    }
}
