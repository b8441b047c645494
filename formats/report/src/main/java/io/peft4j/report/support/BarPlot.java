package io.peft4j.report.support;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Counts as bars from the left, one line each. */
public final class BarPlot {
    private static final int ROW = 16;

    private final String title;
    private final Map<String, Long> bars = new LinkedHashMap<>();

    private BarPlot(String title) {
        this.title = title;
    }

    /** A plot that is called so where it cannot be seen. */
    public static BarPlot titled(String title) {
        return new BarPlot(title);
    }

    /** Adds a bar. */
    public BarPlot bar(String name, long count) {
        bars.put(name, count);
        return this;
    }

    /** The plot. */
    public Html html() {
        long most = Math.max(1, bars.values().stream().mapToLong(Long::longValue).max().orElse(1));
        Html plot = Html.tag("div").css("bars").with("role", "figure").with("aria-label", title);
        bars.forEach((name, count) -> plot.add(Html.tag("div", name).css("name"),
                Svg.fill(ROW).add(Html.tag("rect").with("width", Svg.percent((double) count / most))
                        .with("height", ROW)),
                Html.tag("div", String.format(Locale.ROOT, "%,d", count)).css("figure")));
        return plot;
    }
}
