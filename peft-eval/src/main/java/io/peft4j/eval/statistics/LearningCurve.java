package io.peft4j.eval.statistics;

import io.peft4j.core.Internal;
import java.util.stream.IntStream;
import org.apache.commons.math3.distribution.TDistribution;

/**
 * What more training data is likely to bring: the error of a score over training sizes as a power law,
 * {@code 1 - score = a n^-b}, fitted by least squares of its logarithm, with Student's prediction interval for
 * {@code k - 2} degrees of freedom. Three to five sizes are usual; with three the interval is honest, that is wide.
 */
@Internal(shared = true)
public final class LearningCurve {
    private static final double LEAST_ERROR = 1e-3;

    private final double intercept;
    private final double slope;
    private final double residual;
    private final double meanLog;
    private final double spread;
    private final int points;

    /**
     * A prediction.
     *
     * @param score the score to be expected, from 0 to 1
     * @param interval where a training of that size is likely to end
     */
    public record Prediction(double score, Interval interval) {
    }

    private LearningCurve(double intercept, double slope, double residual, double meanLog, double spread, int points) {
        this.intercept = intercept;
        this.slope = slope;
        this.residual = residual;
        this.meanLog = meanLog;
        this.spread = spread;
        this.points = points;
    }

    /**
     * Fits a curve.
     *
     * @param sizes numbers of training examples, at least three, not all the same
     * @param scores what was reached with them, from 0 to 1; errors below 0.001 count as 0.001
     * @throws IllegalArgumentException when there are fewer than three, or a value is out of range
     */
    public static LearningCurve fit(double[] sizes, double[] scores) {
        int k = sizes.length;
        if (k < 3 || k != scores.length) {
            throw new IllegalArgumentException("a learning curve needs three sizes or more with a score each; got " + k
                    + " sizes and " + scores.length + " scores");
        }
        double[] x = new double[k];
        double[] y = new double[k];
        for (int i = 0; i < k; i++) {
            if (!(sizes[i] > 0) || !(scores[i] >= 0 && scores[i] <= 1)) {
                throw new IllegalArgumentException("a score of " + scores[i] + " with " + sizes[i] + " examples");
            }
            x[i] = Math.log(sizes[i]);
            y[i] = Math.log(Math.max(LEAST_ERROR, 1 - scores[i]));
        }
        double meanX = IntStream.range(0, k).mapToDouble(i -> x[i]).average().orElseThrow();
        double meanY = IntStream.range(0, k).mapToDouble(i -> y[i]).average().orElseThrow();
        double xx = IntStream.range(0, k).mapToDouble(i -> (x[i] - meanX) * (x[i] - meanX)).sum();
        double xy = IntStream.range(0, k).mapToDouble(i -> (x[i] - meanX) * (y[i] - meanY)).sum();
        if (xx == 0) {
            throw new IllegalArgumentException("all sizes are the same");
        }
        double slope = xy / xx;
        double intercept = meanY - slope * meanX;
        double square = IntStream.range(0, k).mapToDouble(i -> y[i] - intercept - slope * x[i]).map(r -> r * r).sum();
        return new LearningCurve(intercept, slope, Math.sqrt(square / (k - 2)), meanX, xx, k);
    }

    /** {@code b}: how fast the error falls; below 0 where more data made it worse. */
    public double exponent() {
        return -slope;
    }

    /**
     * What a number of examples is likely to reach.
     *
     * @param size number of training examples, above 0
     * @param level of the interval, for instance 0.95
     */
    public Prediction at(double size, double level) {
        double x = Math.log(size);
        double y = intercept + slope * x;
        double half = new TDistribution(null, points - 2).inverseCumulativeProbability(0.5 + level / 2) * residual
                * Math.sqrt(1 + 1.0 / points + (x - meanLog) * (x - meanLog) / spread);
        return new Prediction(score(y), new Interval(score(y + half), score(y - half), level));
    }

    private static double score(double logError) {
        return Math.max(0, Math.min(1, 1 - Math.exp(logError)));
    }
}
