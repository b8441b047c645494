package io.peft4j.eval.report;

import io.peft4j.eval.statistics.Interval;
import java.util.Objects;

/**
 * How well a class, or a type of entities, was found.
 *
 * @param label the class
 * @param precision the share of what was said to be of the class that is; 0 where nothing was
 * @param recall the share of what is of the class that was found; 0 where there is nothing
 * @param f1 the harmonic mean of both
 * @param f1Interval the interval of F1
 * @param support how many there are
 */
public record ClassScore(String label, double precision, double recall, double f1, Interval f1Interval, int support) {
    /** Refuses null. */
    public ClassScore {
        Objects.requireNonNull(label, "label");
        Objects.requireNonNull(f1Interval, "f1Interval");
    }
}
