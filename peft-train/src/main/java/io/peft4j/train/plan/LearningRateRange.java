package io.peft4j.train.plan;

import io.peft4j.core.Internal;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.LinePlot;
import io.peft4j.report.support.Numbers;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Status;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What a range test saw: the loss while the learning rate rose.
 *
 * @param points the updates in their order
 * @param lowestAt the learning rate at the lowest smoothed loss
 * @param divergedAt the last learning rate, where the loss had diverged with it; empty where it never did
 * @param suggestion a learning rate to train with; empty where the loss never fell
 * @param reason why, a sentence
 */
@Internal(shared = true)
public record LearningRateRange(List<Point> points, double lowestAt, OptionalDouble divergedAt,
        OptionalDouble suggestion, String reason) {
    /** A fall by less is no fall. */
    private static final double FALL = 0.03;
    /** The suggestion keeps this factor from where the loss was lowest: there the rate is at its limit already. */
    private static final double BELOW_LOWEST = 3;
    /** The slope is taken over this share of the updates. */
    private static final int WINDOWS = 8;

    /**
     * An update.
     *
     * @param learningRate its learning rate
     * @param loss the training loss before it
     * @param smoothed the mean of the losses up to it, recent ones counting more
     */
    public record Point(double learningRate, double loss, double smoothed) {
    }

    /** Copies the list. */
    public LearningRateRange {
        points = List.copyOf(points);
    }

    /**
     * Looks at a test's updates.
     *
     * @param points at least two, of rising learning rates
     * @param diverged whether it ended because the loss had diverged
     */
    public static LearningRateRange of(List<Point> points, boolean diverged) {
        int start = points.size() / WINDOWS;
        int lowest = start;
        for (int i = start; i < points.size(); i++) {
            lowest = points.get(i).smoothed() < points.get(lowest).smoothed() ? i : lowest;
        }
        double at = points.get(lowest).learningRate();
        OptionalDouble end = diverged ? OptionalDouble.of(points.get(points.size() - 1).learningRate())
                : OptionalDouble.empty();
        double before = points.get(start).smoothed();
        double fall = 1 - points.get(lowest).smoothed() / before;
        if (!(fall > FALL)) {
            return new LearningRateRange(points, at, end, OptionalDouble.empty(), String.format(Locale.ROOT,
                    "the loss never fell by more than %.0f %% of %.3f; give more updates, or look at the data",
                    100 * FALL, before));
        }
        double steepest = points.get(steepest(points, start, lowest)).learningRate();
        double rate = new BigDecimal(Math.min(steepest, at / BELOW_LOWEST)).round(new MathContext(2)).doubleValue();
        String reason = String.format(Locale.ROOT, "the loss falls fastest around %.1e, is lowest at %.1e%s; the "
                + "suggestion is the first, at most a third of the second", steepest, at,
                diverged
                        ? String.format(Locale.ROOT, " and has diverged at %.1e", end.getAsDouble()) : "");
        return new LearningRateRange(points, at, end, OptionalDouble.of(rate), reason);
    }

    /** Where the smoothed loss falls fastest over a window of updates that ends before its lowest point. */
    private static int steepest(List<Point> points, int start, int lowest) {
        int window = Math.max(1, Math.min(points.size() / WINDOWS, lowest - start));
        int best = lowest;
        double fastest = Double.POSITIVE_INFINITY;
        for (int i = start; i + window <= lowest; i++) {
            double slope = points.get(i + window).smoothed() - points.get(i).smoothed();
            if (slope < fastest) {
                fastest = slope;
                best = i + window / 2;
            }
        }
        return best;
    }

    /** A page with the loss over the learning rate. */
    public String html() {
        double[] x = points.stream().mapToDouble(point -> Math.log10(point.learningRate())).toArray();
        Map<String, Object> facts = new LinkedHashMap<>();
        suggestion.ifPresent(rate -> facts.put("learning rate", Numbers.shown(rate)));
        facts.put("lowest loss at", Numbers.shown(lowestAt));
        divergedAt.ifPresent(rate -> facts.put("diverged at", Numbers.shown(rate)));
        facts.put("updates", points.size());
        return Page.titled("Learning rate range test").add(
                Blocks.banner(suggestion.isPresent() ? Status.GOOD : Status.BAD, suggestion.isPresent()
                        ? "Learning rate " + Numbers.shown(suggestion.getAsDouble()) : "No suggestion",
                        reason.substring(0, 1).toUpperCase(Locale.ROOT) + reason.substring(1) + ".",
                        Blocks.facts(facts)),
                Blocks.card("Loss", LinePlot.of("Loss", "power of 10 of the learning rate")
                        .line(0, "loss", x, points.stream().mapToDouble(Point::loss).toArray())
                        .line(1, "smoothed", x, points.stream().mapToDouble(Point::smoothed).toArray()).html(),
                        Blocks.note("The learning rate rises by the same factor each update. What is learned before "
                                + "counts, too: the curve is no comparison of trainings.")))
                .html();
    }

    /**
     * Writes the page.
     *
     * @throws java.io.UncheckedIOException when the file cannot be written
     */
    public void writeHtml(Path file) {
        AtomicFiles.writeString(file, html());
    }
}
