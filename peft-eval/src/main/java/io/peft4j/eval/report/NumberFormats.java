package io.peft4j.eval.report;

import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.metric.internal.MetricNames;
import java.util.Locale;

/** How numbers are written for people. */
final class NumberFormats {
    private NumberFormats() {
    }

    /** The usual spelling of a metric or test. */
    static String name(String key) {
        return MetricNames.of(key);
    }

    /** The same with which direction is better, where that is downwards. */
    static String name(MetricResult metric) {
        return name(metric.name()) + (metric.lowerIsBetter() ? " (less is better)" : "");
    }

    private static boolean isPlain(MetricResult metric) {
        return metric.isInNats() || metric.lowerIsBetter();
    }

    /** A score: percent, points of 100, or nats. */
    static String score(MetricResult metric, double value) {
        return isPlain(metric) ? String.format(Locale.ROOT, "%.3f", value)
                : String.format(Locale.ROOT, metric.scale() == 1 ? "%.1f %%" : "%.1f", 100 / metric.scale() * value);
    }

    /** A difference in points or nats, with its sign. */
    static String points(MetricResult metric, double value) {
        return isPlain(metric) ? String.format(Locale.ROOT, "%+.3f", value)
                : String.format(Locale.ROOT, "%+.1f", 100 / metric.scale() * value);
    }

    /** {@code [+66.1, +84.9]}. */
    static String interval(MetricResult metric) {
        return metric.interval().words(metric.range(), value -> points(metric, value));
    }

    /** {@code < 0.0001} or two digits. */
    static String p(double value) {
        return value < 0.0001 ? "< 0.0001" : String.format(Locale.ROOT, "%.2g", value);
    }
}
