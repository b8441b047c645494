package io.peft4j.eval.report;

import io.peft4j.core.Internal;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.task.Classification;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What one of those compared reached.
 *
 * @param name {@code base} or {@code tuned}
 * @param description what it is
 * @param scores its scores, by name
 * @param classes its scores by class, where rows have classes
 * @param confusion its confusion matrix, where each row, or word, has one class
 */
public record TaskArm(String name, String description, Map<String, Score> scores, List<ClassScore> classes,
        @Internal Optional<Classification> confusion) {
    /**
     * How well a class, or a type of entities, was found.
     *
     * @param label the class
     * @param precision the share of what was said to be of the class that is; 0 where nothing was
     * @param recall the share of what is of the class that was found; 0 if there are none
     * @param f1 the harmonic mean of both
     * @param f1Interval the interval of F1
     * @param support how many there are
     */
    public record ClassScore(String label, double precision, double recall, double f1, Interval f1Interval,
            int support) {
        /** Refuses null. */
        public ClassScore {
            Objects.requireNonNull(label, "label");
            Objects.requireNonNull(f1Interval, "f1Interval");
        }
    }

    /**
     * A score.
     *
     * @param value the score
     * @param interval its interval, where it has one
     * @param range how far apart the least and the largest score can be; infinite where there are no such
     */
    public record Score(double value, Optional<Interval> interval, double range) {
        /** Refuses null. */
        public Score {
            Objects.requireNonNull(interval, "interval");
        }

        /** A share, from 0 to 1. */
        public static Score share(double value, Interval interval) {
            return new Score(value, Optional.of(interval), 1);
        }

        /** A score of any size. */
        public static Score of(double value, Optional<Interval> interval) {
            return new Score(value, interval, Double.POSITIVE_INFINITY);
        }
    }

    /** Copies the collections. */
    public TaskArm {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(description, "description");
        scores = Collections.unmodifiableMap(new LinkedHashMap<>(scores));
        classes = List.copyOf(classes);
        Objects.requireNonNull(confusion, "confusion");
    }

    /** A score by its name. */
    public double score(String metric) {
        return scores.get(metric).value();
    }
}
