package io.peft4j.eval.comparison;

import io.peft4j.core.error.Count;
import io.peft4j.eval.comparison.Verdict.Untrained;
import io.peft4j.eval.metric.MetricNames;
import java.util.Locale;
import java.util.function.DoubleFunction;

/** Figures as sentences of verdicts say them. */
final class VerdictWords {
    private VerdictWords() {
    }

    /**
     * {@code 81 % of answers hold the expected fact against 5 %, difference 76 points [66, 84] on 88 items, p < ...}.
     */
    static String figures(MetricResult metric) {
        return String.format(Locale.ROOT, "%s against %s, %s on %s, p %s", named(metric),
                score(metric, metric.base()), difference(metric), Count.of(metric.items(), "item"),
                p(metric.pAdjusted()));
    }

    /** {@code difference 76 points [66, 84]}. */
    static String difference(MetricResult metric) {
        boolean plain = metric.lowerIsBetter() || metric.isInNats();
        DoubleFunction<String> number = plain ? value -> NumberFormats.number("%+.3f", value)
                : value -> decimal(100 / metric.scale() * value);
        return "difference " + number.apply(metric.difference()) + (metric.lowerIsBetter() ? " "
                : metric.isInNats() ? " nats " : " points ") + metric.interval().words(metric.range(), number)
                + (metric.lowerIsBetter() ? ", less is better" : "");
    }

    /** {@code the most similar training row, which needs no training, answers 62 %}. */
    static String reaches(Untrained arm) {
        return arm.description() + ", which needs no training, " + (arm.tuned().test().equals("mcnemar_exact")
                ? "answers " : "reaches ") + score(arm.tuned(), arm.tuned().base());
    }

    static String score(MetricResult metric, double value) {
        return metric.isInNats() ? NumberFormats.number("%.3f nats", value)
                : metric.lowerIsBetter() ? NumberFormats.number("%.3f", value)
                        : metric.scale() == 1 ? share(value) : decimal(value);
    }

    private static String named(MetricResult metric) {
        return switch (metric.name()) {
            case "contains" -> share(metric.tuned()) + " of answers hold the expected fact";
            case "exact_match" -> share(metric.tuned()) + " of answers match exactly";
            case "guard" -> share(metric.tuned()) + " right";
            default -> MetricNames.of(metric.name()) + " " + score(metric, metric.tuned());
        };
    }

    private static String share(double value) {
        return decimal(100 * value) + " %";
    }

    /** Whole numbers where they are large enough to tell apart. */
    private static String decimal(double value) {
        double rounded = Math.abs(value) >= 10 ? Math.rint(value) : Math.rint(10 * value) / 10;
        return rounded == Math.rint(rounded) ? Long.toString((long) rounded) : Double.toString(rounded);
    }

    /** A gain in the metric's unit: points of 100, or nats. */
    static String gain(MetricResult metric, double gain) {
        return metric.isInNats() ? String.format(Locale.ROOT, "%.3f nats", gain)
                : metric.lowerIsBetter() ? String.format(Locale.ROOT, "%.3f", gain) : points(gain / metric.scale());
    }

    /** Number of items that are not right, of a metric that is a share of them. */
    static long wrong(MetricResult metric, double share) {
        return Math.round(metric.items() * (1 - share));
    }

    static String points(double share) {
        return decimal(100 * share) + " points";
    }

    /** How far margins moved, in nats, and the share of pairs that are in the right order. */
    static String preferences(MetricResult margin, MetricResult preferred) {
        return String.format(Locale.ROOT, "the margin of better over worse answers moved by %s nats %s "
                + "on %s (p %s), and the better answer is the likelier one in %.0f %% of them against "
                + "%.0f %%, difference %s points %s",
                NumberFormats.number("%+.2f", margin.difference()),
                margin.interval().words(margin.range(),
                        value -> NumberFormats.number("%+.2f", value)),
                Count.of(margin.items(), "held-out pair"), p(margin.pAdjusted()), 100 * preferred.tuned(),
                100 * preferred.base(), NumberFormats.number("%+.0f", 100 * preferred.difference()),
                preferred.interval().words(preferred.range(),
                        value -> NumberFormats.number("%+.0f", 100 * value)));
    }

    private static String p(double value) {
        return value < 0.0001 ? "< 0.0001" : String.format(Locale.ROOT, "= %.2g", value);
    }

    /** With a capital first letter, unless the word is spelled with a small one, as nDCG is. */
    static String capitalized(String text) {
        return text.length() > 1 && Character.isUpperCase(text.charAt(1)) ? text
                : text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }
}
