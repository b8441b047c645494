package io.peft4j.report.support;

import java.util.Locale;

/**
 * Pieces of plots. A plot is as wide as its place and so many pixels high: horizontal places are shares of the width,
 * so that letters keep their size on a phone.
 */
final class Svg {
    private static final int RADIUS = 5;
    private static final int SMALL_RADIUS = 3;

    private Svg() {
    }

    /** A drawing as wide as its place. */
    static Html fill(int height) {
        return Html.tag("svg").with("width", "100%").with("height", height);
    }

    static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f%%", 100 * share);
    }

    static Html line(String x1, double y1, String x2, double y2) {
        return Html.tag("line").with("x1", x1).with("y1", y1).with("x2", x2).with("y2", y2);
    }

    static Html dot(String x, double y, String title) {
        return circle(x, y, title, RADIUS);
    }

    /** A dot of many. */
    static Html point(String x, double y, String title) {
        return circle(x, y, title, SMALL_RADIUS);
    }

    private static Html circle(String x, double y, String title, int radius) {
        return Html.tag("circle", Html.tag("title", title)).with("cx", x).with("cy", y).with("r", radius);
    }
}
