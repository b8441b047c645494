package io.peft4j.report.support;

import java.util.List;
import java.util.Locale;

/** How many there are of each size, in bins of equal width from 0; the last bin has all larger ones. */
public final class HistogramPlot {
    private static final int HEIGHT = 140;
    private static final int AXIS = 20;
    /** The share of a bin's width that its bar takes. */
    private static final double BAR = 0.9;

    private HistogramPlot() {
    }

    /**
     * The plot.
     *
     * @param title what it is called where it cannot be seen
     * @param bins the counts
     * @param width the width of a bin
     */
    public static Html of(String title, List<Integer> bins, int width) {
        int most = Math.max(1, bins.stream().mapToInt(Integer::intValue).max().orElse(1));
        Html plot = Svg.fill(HEIGHT).css("histogram").with("role", "img").with("aria-label", title);
        for (int i = 0; i < bins.size(); i++) {
            double height = (double) (HEIGHT - AXIS) * bins.get(i) / most;
            String range = i < bins.size() - 1 ? i * width + " to " + ((i + 1) * width - 1) : i * width + " and more";
            plot.add(Html.tag("rect", Html.tag("title", range + ": " + bins.get(i)))
                    .with("x", Svg.percent((double) i / bins.size())).with("y", HEIGHT - AXIS - height)
                    .with("width", Svg.percent(BAR / bins.size())).with("height", height));
        }
        return plot.add(Html.tag("text", "0").css("tick first").with("x", 0).with("y", HEIGHT - 4),
                Html.tag("text", String.format(Locale.ROOT, "%,d and more", (bins.size() - 1) * width))
                        .css("tick last").with("x", "100%").with("y", HEIGHT - 4));
    }
}
