package io.peft4j.report.support;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;

/** A curve over a range, with a band around it and points, such as a learning curve and the trainings it comes from. */
public final class CurvePlot {
    private static final int HEIGHT = 260;
    private static final int TOP = 10;
    private static final int BOTTOM = 44;
    private static final int INSIDE = HEIGHT - TOP - BOTTOM;
    private static final int STEPS = 4;
    /** Numbers below the axis that would come closer, as a share of its width, are left out. */
    private static final double LEAST_GAP = 0.1;

    /**
     * A point of the curve.
     *
     * @param x where
     * @param y the value
     * @param low lower edge of the band
     * @param high upper edge of the band
     */
    public record Point(double x, double y, double low, double high) {
    }

    private final String title;
    private final String axis;
    private final List<Point> curve;
    private final double first;
    private final double last;
    private double least;
    private double most = 1;
    private DoubleFunction<String> format = value -> String.format(Locale.ROOT, "%.2f", value);
    private final Html dots = Html.all();
    private final List<Double> ticks = new ArrayList<>();

    private CurvePlot(String title, String axis, List<Point> curve) {
        this.title = title;
        this.axis = axis;
        this.curve = List.copyOf(curve);
        this.first = curve.get(0).x();
        this.last = curve.get(curve.size() - 1).x();
    }

    /**
     * A plot with values from 0 to 1.
     *
     * @param title what it is called where it cannot be seen
     * @param axis what the horizontal axis counts
     * @param curve its points from left to right, at least two
     * @throws IllegalArgumentException when there are fewer
     */
    public static CurvePlot of(String title, String axis, List<Point> curve) {
        if (curve.size() < 2) {
            throw new IllegalArgumentException("a curve needs at least 2 points, not " + curve.size());
        }
        return new CurvePlot(title, axis, curve);
    }

    /** Values in another range, and how they are written. */
    public CurvePlot values(double newLeast, double newMost, DoubleFunction<String> newFormat) {
        least = newLeast;
        most = newMost;
        format = newFormat;
        return this;
    }

    /** Adds a point that was measured, with its number below the axis; the values must have been said before. */
    public CurvePlot measured(double x, double y, String name) {
        return dot(x, y, name, "dot open");
    }

    /** Adds a point that is foreseen. */
    public CurvePlot foreseen(double x, double y, String name) {
        return dot(x, y, name, "dot ahead");
    }

    private CurvePlot dot(double x, double y, String name, String kind) {
        dots.add(Svg.dot(Svg.percent(share(x)), y(y), name + ": " + format.apply(y)).css(kind));
        ticks.add(x);
        return this;
    }

    /** The plot. */
    public Html html() {
        Html scale = Html.tag("svg").with("width", "100%").with("height", HEIGHT);
        Html plot = Svg.fill(HEIGHT);
        for (int i = 0; i <= STEPS; i++) {
            double value = least + (most - least) * i / STEPS;
            scale.add(Html.tag("text", format.apply(value)).css("tick last").with("x", "100%").with("y", y(value) + 4));
            plot.add(Svg.line("0%", y(value), "100%", y(value)).css("grid"));
        }
        plot.add(curve(), dots);
        double before = 1 + LEAST_GAP;
        for (double tick : ticks.stream().distinct().sorted((a, b) -> Double.compare(b, a)).toList()) {
            if (before - share(tick) >= LEAST_GAP) {
                before = share(tick);
                plot.add(Html.tag("text", String.format(Locale.ROOT, "%,.0f", tick)).css("tick")
                        .with("x", Svg.percent(before)).with("y", HEIGHT - BOTTOM + 18));
            }
        }
        plot.add(Html.tag("text", axis).css("tick").with("x", "50%").with("y", HEIGHT - 6));
        return Html.tag("div", scale, plot).css("curve").with("role", "figure").with("aria-label", title);
    }

    /** The line and the band: a drawing of its own that is stretched to the width. */
    private Html curve() {
        StringBuilder line = new StringBuilder();
        StringBuilder upper = new StringBuilder();
        StringBuilder lower = new StringBuilder();
        for (Point point : curve) {
            line.append(place(point.x(), point.y()));
            upper.append(place(point.x(), point.high()));
            lower.insert(0, place(point.x(), point.low()));
        }
        return Svg.fill(HEIGHT).with("viewBox", "0 0 1000 " + HEIGHT).with("preserveAspectRatio", "none")
                .add(Html.tag("polygon").css("band").with("points", upper.toString() + lower),
                        Html.tag("polyline").css("line").with("points", line));
    }

    private String place(double x, double y) {
        return String.format(Locale.ROOT, "%.1f,%.1f ", 1000 * share(x), y(y));
    }

    private double share(double x) {
        return (x - first) / (last - first);
    }

    private double y(double value) {
        return TOP + (1 - (value - least) / (most - least)) * INSIDE;
    }
}
