package io.peft4j.eval.statistics;

import io.peft4j.core.Internal;
import java.util.Arrays;
import org.apache.commons.math3.distribution.TDistribution;

/**
 * Mean and spread of values, for instance of one score over several training seeds.
 *
 * @param count number of values
 * @param mean their mean
 * @param standardDeviation with n - 1; 0 for one value
 * @param min the smallest
 * @param max the largest
 */
@Internal
public record Spread(int count, double mean, double standardDeviation, double min, double max) {
    /**
     * The spread of values.
     *
     * @throws IllegalArgumentException when there is none
     */
    public static Spread of(double... values) {
        if (values.length == 0) {
            throw new IllegalArgumentException("a spread needs at least one value");
        }
        double mean = Arrays.stream(values).average().orElseThrow();
        double square = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
        double deviation = values.length == 1 ? 0 : Math.sqrt(square / (values.length - 1));
        return new Spread(values.length, mean, deviation, Arrays.stream(values).min().orElseThrow(),
                Arrays.stream(values).max().orElseThrow());
    }

    /** Cohen's d of paired differences, {@code mean / sd}; 0 where both are 0, infinite where only sd is. */
    public double effectSize() {
        return mean == 0 ? 0 : mean / standardDeviation;
    }

    /**
     * Student's interval of the mean: the whole line for one value.
     *
     * @param level for instance 0.95
     */
    public Interval interval(double level) {
        if (count == 1) {
            return new Interval(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, level);
        }
        double half = new TDistribution(null, count - 1).inverseCumulativeProbability(0.5 + level / 2)
                * standardDeviation / Math.sqrt(count);
        return new Interval(mean - half, mean + half, level);
    }
}
