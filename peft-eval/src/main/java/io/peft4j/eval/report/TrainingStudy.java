package io.peft4j.eval.report;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.statistics.LearningCurve;
import io.peft4j.eval.statistics.LearningCurve.Prediction;
import io.peft4j.eval.statistics.Spread;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Scores of trainings with other numbers of examples or other seeds, on the same items.
 *
 * @param metric the metric of the scores
 * @param points trainings with several numbers of examples, by that number; empty where there are none
 * @param curve the learning curve through them
 * @param seeds trainings that differ in their seed only; empty where there are none
 * @param spread the spread of those
 */
public record TrainingStudy(String metric, List<Point> points, Optional<Curve> curve, List<Point> seeds,
        @Internal Optional<Spread> spread) {
    /** The number of examples that are thought to be added. */
    public static final int MORE = 100;
    private static final int LEAST_SIZES = 3;
    private static final double LEVEL = 0.95;

    /**
     * A training.
     *
     * @param name which one
     * @param examples number of its training examples, 0 where it is not known
     * @param score what it reached, from 0 to 1
     */
    public record Point(String name, int examples, double score) {
        /** Refuses scores out of range. */
        public Point {
            Objects.requireNonNull(name, "name");
            if (!(score >= 0 && score <= 1) || examples < 0) {
                throw new ConfigurationException(name + ": a score of " + score + " with " + examples + " examples");
            }
        }
    }

    /**
     * The curve {@code 1 - score = a n^-b} at the largest number of examples, and with {@link #MORE} added.
     *
     * @param exponent b
     * @param examples the largest number of examples
     * @param now what the curve says of it
     * @param more what is likely with so many added
     * @param fit the curve itself, for plots
     */
    public record Curve(double exponent, int examples, @Internal Prediction now,
            @Internal Prediction more, @Internal LearningCurve fit) {
        /** What the added examples are likely to bring. */
        public double gain() {
            return more.score() - now.score();
        }

        /** The prediction interval of the gain: where a training with more examples is likely to end. */
        public Interval gainInterval() {
            return new Interval(more.interval().low() - now.score(), more.interval().high() - now.score(), LEVEL);
        }
    }

    /** Copies the lists. */
    public TrainingStudy {
        Objects.requireNonNull(metric, "metric");
        points = List.copyOf(points);
        Objects.requireNonNull(curve, "curve");
        seeds = List.copyOf(seeds);
        Objects.requireNonNull(spread, "spread");
    }

    /**
     * Fits the curve and measures the spread.
     *
     * @param metric the metric of the scores
     * @param points trainings with three numbers of examples or more, or none
     * @param seeds trainings with two seeds or more, or none
     * @throws ConfigurationException when there are fewer, or neither
     */
    public static TrainingStudy of(String metric, List<Point> points, List<Point> seeds) {
        long sizes = points.stream().mapToInt(Point::examples).distinct().count();
        if (points.isEmpty() && seeds.isEmpty() || !points.isEmpty() && sizes < LEAST_SIZES || seeds.size() == 1) {
            throw new ConfigurationException("a study needs trainings with three numbers of examples or more, or with "
                    + "two seeds or more; there are " + sizes + " numbers of examples and " + seeds.size() + " seeds");
        }
        List<Point> ordered = points.stream().sorted((a, b) -> Integer.compare(a.examples(), b.examples())).toList();
        return new TrainingStudy(metric, ordered, ordered.isEmpty() ? Optional.empty() : Optional.of(curve(ordered)),
                seeds, seeds.isEmpty() ? Optional.empty()
                        : Optional.of(Spread.of(seeds.stream().mapToDouble(Point::score).toArray())));
    }

    private static Curve curve(List<Point> points) {
        if (points.get(0).examples() == 0) {
            throw new ConfigurationException(points.get(0).name() + ": unknown number of training examples");
        }
        LearningCurve fit = LearningCurve.fit(points.stream().mapToDouble(Point::examples).toArray(),
                points.stream().mapToDouble(Point::score).toArray());
        int largest = points.get(points.size() - 1).examples();
        return new Curve(fit.exponent(), largest, fit.at(largest, LEVEL), fit.at(largest + MORE, LEVEL), fit);
    }
}
