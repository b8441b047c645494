package io.peft4j.eval.report;

import io.peft4j.eval.comparison.MetricResult;
import java.util.List;
import java.util.Locale;

/** Differences with their intervals as an inline SVG: one line a metric, 0 marked. */
final class IntervalPlot {
    private static final int WIDTH = 560;
    private static final int LEFT = 205;
    private static final int RIGHT = 20;
    private static final int ROW = 30;

    private final List<MetricResult> metrics;
    private final double low;
    private final double high;

    IntervalPlot(List<MetricResult> metrics) {
        this.metrics = metrics;
        double least = -0.05;
        double most = 0.05;
        for (MetricResult metric : metrics) {
            least = Math.min(least, metric.interval().low() / metric.scale());
            most = Math.max(most, metric.interval().high() / metric.scale());
        }
        double margin = 0.04 * (most - least);
        this.low = least - margin;
        this.high = most + margin;
    }

    private double x(double share) {
        return LEFT + (share - low) / (high - low) * (WIDTH - LEFT - RIGHT);
    }

    String svg(String title) {
        StringBuilder svg = new StringBuilder();
        int height = metrics.size() * ROW + 40;
        svg.append(String.format(Locale.ROOT, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">%n", WIDTH,
                height, title));
        double step = (high - low) > 0.8 ? 0.25 : (high - low) > 0.4 ? 0.1 : (high - low) > 0.15 ? 0.05 : 0.02;
        for (double tick = Math.ceil(low / step) * step; tick <= high; tick += step) {
            svg.append(String.format(Locale.ROOT, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"8\" y2=\"%d\"/>"
                    + "<text class=\"tick\" x=\"%.1f\" y=\"%d\">%s</text>%n",
                    Math.abs(tick) < 1e-9 ? "zero" : "grid",
                    x(tick), x(tick), height - 28, x(tick), height - 10,
                    Math.abs(tick) < 1e-9 ? "0" : String.format(Locale.ROOT, "%+.0f", 100 * tick)));
        }
        for (int i = 0; i < metrics.size(); i++) {
            MetricResult metric = metrics.get(i);
            int y = 24 + i * ROW;
            String kind = metric.interval().low() > 0 ? "better" : metric.interval().high() < 0 ? "worse" : "open";
            svg.append(String.format(Locale.ROOT, "<text class=\"name\" x=\"%d\" y=\"%d\">%s</text>"
                    + "<line class=\"bar %s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                    + "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%d\" r=\"5\"><title>%s %s</title></circle>%n",
                    LEFT - 12,
                    y + 5, Figures.name(metric.name()), kind, x(metric.interval().low() / metric.scale()),
                    x(metric.interval().high() / metric.scale()), y, y, kind,
                    x(metric.difference() / metric.scale()), y, Figures.points(metric, metric.difference()),
                    Figures.interval(metric)));
        }
        return svg.append("</svg>\n").toString();
    }
}
