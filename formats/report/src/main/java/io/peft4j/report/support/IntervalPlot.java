package io.peft4j.report.support;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Differences in points with their intervals, one line each, zero marked: green where the whole interval lies above
 * zero, red where it lies below, amber else.
 */
public final class IntervalPlot {
    private static final int ROW = 28;
    private static final int AXIS = 22;
    /** The axis is at least so long, in points, so that small differences look small. */
    private static final double LEAST = 5;

    private record Row(String name, double low, double at, double high) {
    }

    private final String title;
    private final List<Row> rows = new ArrayList<>();
    private double least = -LEAST;
    private double most = LEAST;

    private IntervalPlot(String title) {
        this.title = title;
    }

    /** A plot that is called so where it cannot be seen. */
    public static IntervalPlot titled(String title) {
        return new IntervalPlot(title);
    }

    /**
     * Adds a line.
     *
     * @param name what differs
     * @param low lower end of the interval, in points
     * @param at the difference
     * @param high upper end of the interval
     */
    public IntervalPlot row(String name, double low, double at, double high) {
        rows.add(new Row(name, low, at, high));
        least = Math.min(least, low);
        most = Math.max(most, high);
        return this;
    }

    /** The plot. */
    public Html html() {
        Html plot = Html.tag("div").css("intervals").with("role", "figure").with("aria-label", title);
        rows.forEach(row -> plot.add(Html.tag("div", row.name()).css("name"), line(row)));
        Html axis = Svg.fill(AXIS);
        ticks().forEach(tick -> axis.add(Html.tag("text", Math.abs(tick) < LEAST / 1e6 ? "0"
                : String.format(Locale.ROOT, "%+.0f", tick)).css("tick").with("x", x(tick)).with("y", AXIS - 6)));
        return plot.add(Html.tag("div").css("name"), axis);
    }

    private Html line(Row row) {
        String tone = Status.ofInterval(row.low(), row.high()).css();
        Html line = Svg.fill(ROW);
        ticks().forEach(tick -> line.add(Svg.line(x(tick), 0, x(tick), ROW)
                .css(Math.abs(tick) < LEAST / 1e6 ? "zero" : "grid")));
        line.add(Svg.line(x(row.low()), ROW / 2, x(row.high()), ROW / 2).css("bar " + tone));
        String figures = String.format(Locale.ROOT, "%s: %+.1f [%+.1f, %+.1f]", row.name(), row.at(), row.low(),
                row.high());
        return line.add(Svg.dot(x(row.at()), ROW / 2, figures).css("dot " + tone));
    }

    private String x(double points) {
        double margin = 0.04 * (most - least);
        return Svg.percent((points - least + margin) / (most - least + 2 * margin));
    }

    private List<Double> ticks() {
        double span = most - least;
        double step = span > 80 ? 25 : span > 40 ? 10 : span > 15 ? 5 : 2;
        List<Double> ticks = new ArrayList<>();
        for (double tick = Math.ceil(least / step) * step; tick <= most; tick += step) {
            ticks.add(tick);
        }
        return ticks;
    }
}
