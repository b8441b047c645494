package io.peft4j.eval.report;

import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.NumberFormats;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What got worse beside the metric that decides: other metrics, the guard set and its parts, items that were right
 * before. It stands right below the verdict, so that nobody ships without having read it.
 *
 * @param sentences one for each loss
 * @param clear whether the whole interval of one lies below zero
 */
record Losses(List<String> sentences, boolean clear) {
    static final String HEADING = "What got worse";

    static Losses of(ComparisonReport report) {
        List<String> sentences = new ArrayList<>();
        List<MetricResult> worse = new ArrayList<>();
        report.metrics().stream().filter(metric -> metric != report.decidingResult()).filter(Losses::isLower)
                .forEach(metric -> add(NumberFormats.name(metric.name()), metric, sentences, worse));
        report.guard().ifPresent(guard -> {
            Stream.of(guard.overall()).filter(Losses::isLower)
                    .forEach(metric -> add("The guard set of general ability", metric, sentences, worse));
            guard.parts().stream().filter(part -> part.interval().high() < 0)
                    .forEach(part -> add("The guard set's part \"" + NumberFormats.name(part.name()) + "\"", part,
                            sentences,
                            worse));
        });
        int lost = report.failures().regressions().size();
        if (lost > 0) {
            sentences.add(lost + " of " + report.items().size() + (lost == 1 ? " items was right before and is"
                    : " items were right before and are") + " wrong now.");
        }
        return new Losses(List.copyOf(sentences), worse.stream().anyMatch(metric -> metric.gainInterval().high() < 0));
    }

    private static boolean isLower(MetricResult metric) {
        return metric.gain() < 0;
    }

    private static void add(String name, MetricResult metric, List<String> sentences, List<MetricResult> worse) {
        worse.add(metric);
        sentences.add(name + ": " + NumberFormats.score(metric, metric.tuned()) + " against "
                + NumberFormats.score(metric, metric.base()) + ", " + NumberFormats.points(metric, metric.difference())
                + " points " + NumberFormats.interval(metric) + ", p (Holm) " + NumberFormats.p(metric.pAdjusted())
                + ".");
    }

    boolean isEmpty() {
        return sentences.isEmpty();
    }
}
