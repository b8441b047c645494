package io.peft4j.eval.report;

import io.peft4j.core.Internal;
import java.util.List;

/**
 * Lines that a page shows.
 *
 * @param title what they show
 * @param axis the quantity of the horizontal axis
 * @param lines the lines
 */
@Internal
public record Curve(String title, String axis, List<Line> lines) {
    /** Copies the list. */
    public Curve {
        lines = List.copyOf(lines);
    }

    /**
     * A line.
     *
     * @param name its name
     * @param x where its points stand
     * @param y their values
     */
    public record Line(String name, List<Double> x, List<Double> y) {
        /** Copies the lists. */
        public Line {
            x = List.copyOf(x);
            y = List.copyOf(y);
        }
    }
}
