package io.peft4j.eval.comparison;

import io.peft4j.core.Internal;
import io.peft4j.eval.metric.MetricNames;
import java.util.Locale;
import java.util.regex.Pattern;

/** How numbers are written for people. */
@Internal
public final class NumberFormats {
    private static final Pattern NEGATIVE_ZERO = Pattern.compile("-[0.]+\\D*");

    private NumberFormats() {
    }

    /** The usual spelling of a metric or test. */
    public static String name(String key) {
        return MetricNames.of(key);
    }

    /** The same with which direction is better, where that is downwards. */
    public static String name(MetricResult metric) {
        return name(metric.name()) + (metric.lowerIsBetter() ? " (less is better)" : "");
    }

    private static boolean isPlain(MetricResult metric) {
        return metric.isInNats() || metric.lowerIsBetter();
    }

    /** A score: percent, points of 100, or nats. */
    public static String score(MetricResult metric, double value) {
        return isPlain(metric) ? number("%.3f", value)
                : number(metric.scale() == 1 ? "%.1f %%" : "%.1f", 100 / metric.scale() * value);
    }

    /** A difference in points or nats, with its sign. */
    public static String points(MetricResult metric, double value) {
        return isPlain(metric) ? number("%+.3f", value) : number("%+.1f", 100 / metric.scale() * value);
    }

    /** The value in a format of {@link String#format}: one that rounds to zero is zero, not {@code -0.0}. */
    public static String number(String format, double value) {
        String text = String.format(Locale.ROOT, format, value);
        return NEGATIVE_ZERO.matcher(text).matches() ? String.format(Locale.ROOT, format, 0.0) : text;
    }

    /** {@code [+66.1, +84.9]}. */
    public static String interval(MetricResult metric) {
        return metric.interval().words(metric.range(), value -> points(metric, value));
    }

    /** {@code < 0.0001} or two digits. */
    public static String p(double value) {
        return value < 0.0001 ? "< 0.0001" : String.format(Locale.ROOT, "%.2g", value);
    }
}
