package io.peft4j.report.support;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Counts, or shares with their intervals, as bars from the left, one line each. */
public final class BarPlot {
    private static final int ROW = 16;

    /** Its ends are equal where it has no interval. */
    private record Bar(String name, double length, double low, double high, String figure, String css) {
    }

    private final String title;
    private final List<Bar> bars = new ArrayList<>();
    private double most;

    private BarPlot(String title) {
        this.title = title;
    }

    /** A plot that is called so where it cannot be seen. */
    public static BarPlot titled(String title) {
        return new BarPlot(title);
    }

    /** Adds a bar; the longest count fills the line. */
    public BarPlot bar(String name, long count) {
        return bar(name, count, String.format(Locale.ROOT, "%,d", count));
    }

    /** Adds a bar with its figure; the longest one fills the line. */
    public BarPlot bar(String name, double length, String figure) {
        most = Math.max(most, length);
        bars.add(new Bar(name, length, 0, 0, figure, "strong"));
        return this;
    }

    /**
     * Adds the bar of a share with its interval; 1 fills the line.
     *
     * @param name whose share it is
     * @param strong whether it is the one that the plot is about
     */
    public BarPlot share(String name, double low, double at, double high, boolean strong) {
        most = 1;
        bars.add(new Bar(name, at, low, high, String.format(Locale.ROOT, "%.1f %% [%.1f, %.1f]", 100 * at, 100 * low,
                100 * high), strong ? "strong" : "weak"));
        return this;
    }

    /** The plot. */
    public Html html() {
        Html plot = Html.tag("div").css("bars").with("role", "figure").with("aria-label", title);
        bars.forEach(bar -> {
            Html line = Svg.fill(ROW).css(bar.css()).add(Html.tag("rect")
                    .with("width", Svg.percent(bar.length() / Math.max(1e-9, most))).with("height", ROW));
            if (bar.low() < bar.high()) {
                line.add(Svg.line(Svg.percent(bar.low()), ROW / 2, Svg.percent(bar.high()), ROW / 2).css("whisker"));
            }
            plot.add(Html.tag("div", bar.name()).css("name"), line, Html.tag("div", bar.figure()).css("figure"));
        });
        return plot;
    }
}
