package io.peft4j.eval;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.Evidence;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.NumberFormats;
import io.peft4j.eval.comparison.PairedOutcomes;
import io.peft4j.eval.comparison.ReportDocument;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.comparison.VerdictRules;
import io.peft4j.eval.guard.GuardReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Whether a tuned model prefers better answers, and what that has cost of general ability. It says nothing of what the
 * model writes: {@link io.peft4j.eval.Comparison} does.
 *
 * @param margin the mean margin of a pair, in nats
 * @param preferred the share of pairs whose better answer is the likelier one
 * @param guard the guard set, where it was run
 * @param leftOut pairs that could not be compared
 * @param verdict the verdict
 */
public record PreferenceReport(MetricResult margin, MetricResult preferred, Optional<GuardReport> guard, int leftOut,
        Verdict verdict) {
    private static final Map<String, String> NAMES = Map.of("margin", "margin, nats", "preferred",
            "better answer likelier, share", "guard", "guard set of general ability, share");

    /** Refuses null. */
    public PreferenceReport {
        Objects.requireNonNull(margin, "margin");
        Objects.requireNonNull(preferred, "preferred");
        Objects.requireNonNull(guard, "guard");
        Objects.requireNonNull(verdict, "verdict");
    }

    /**
     * The report of margins.
     *
     * @param base the base model's margins, one a pair
     * @param tuned the tuned model's
     * @param guard what was kept of general ability
     */
    static PreferenceReport of(double[] base, double[] tuned, Optional<GuardReport> guard, int leftOut,
            ComparisonOptions options) {
        List<MetricResult> results = new PairedOutcomes(options).nats("margin", base, tuned)
                .yesNo("preferred", likelier(base), likelier(tuned)).results("margin");
        Evidence evidence = Evidence.of(results.get(0));
        return new PreferenceReport(results.get(0), results.get(1), guard, leftOut, new VerdictRules(options)
                .ofPreferences(guard.map(report -> evidence.withGuard(report.overall())).orElse(evidence),
                        results.get(1)));
    }

    private static boolean[] likelier(double[] margins) {
        boolean[] likelier = new boolean[margins.length];
        IntStream.range(0, margins.length).forEach(i -> likelier[i] = margins[i] > 0);
        return likelier;
    }

    /** The report as one JSON object. */
    public String toJson() {
        ObjectNode node = new ObjectMapper().createObjectNode();
        node.set("verdict", verdict.toJson());
        node.put("pairs", margin.items()).put("left_out", leftOut);
        for (MetricResult metric : metrics()) {
            metric.putDifference(node.putObject(metric.name()).put("base", metric.base()).put("tuned", metric.tuned()))
                    .put("p", metric.pAdjusted()).put("test", metric.test());
        }
        return node.toString();
    }

    /** The report as Markdown. */
    public String toMarkdown() {
        return document().markdown();
    }

    /** The report as one HTML page that loads nothing. */
    public String toHtml() {
        return document().html();
    }

    private ReportDocument document() {
        List<String> header = List.of("metric", "base", "tuned", "difference",
                String.format(Locale.ROOT, "%.0f %% interval", 100 * margin.interval().level()), "p");
        return new ReportDocument(verdict).section("Held-out pairs", note()).table(header, metrics().stream()
                .map(metric -> List.of(NAMES.get(metric.name()), NumberFormats.number("%.2f", metric.base()),
                        NumberFormats.number("%.2f", metric.tuned()),
                        NumberFormats.number("%+.2f", metric.difference()), metric.interval().words(metric
                                .range(), value -> NumberFormats.number("%+.2f", value)),
                        NumberFormats.p(metric.pAdjusted())))
                .toList());
    }

    private List<MetricResult> metrics() {
        List<MetricResult> metrics = new ArrayList<>(List.of(margin, preferred));
        guard.ifPresent(report -> metrics.add(report.overall()));
        return metrics;
    }

    private String note() {
        return Count.of(margin.items(), "pair") + (leftOut > 0 ? ", " + leftOut + " left out" : "")
                + ". A margin is the log-probability of the better answer less that of the worse one. "
                + "Likelihoods do not show what the model writes: evaluate it on questions too.";
    }
}
