package io.peft4j.eval.preference;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.comparison.internal.PairedOutcomes;
import io.peft4j.report.internal.Blocks;
import io.peft4j.report.internal.Page;
import io.peft4j.report.internal.Table;
import io.peft4j.report.internal.Tone;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Whether a tuned model prefers better answers. It says nothing of what the model writes by itself, nor of what it has
 * forgotten: {@link io.peft4j.eval.Comparison} does.
 *
 * @param margin the mean margin of a pair, in nats
 * @param preferred the share of pairs whose better answer is the likelier one
 * @param leftOut pairs that could not be compared
 * @param verdict the verdict
 */
public record PreferenceReport(MetricResult margin, MetricResult preferred, int leftOut, Verdict verdict) {
    /** Refuses null. */
    public PreferenceReport {
        Objects.requireNonNull(margin, "margin");
        Objects.requireNonNull(preferred, "preferred");
        Objects.requireNonNull(verdict, "verdict");
    }

    /**
     * The report of margins.
     *
     * @param base the base model's margins, one a pair
     * @param tuned the tuned model's
     */
    static PreferenceReport of(double[] base, double[] tuned, int leftOut, ComparisonOptions options) {
        List<MetricResult> results = new PairedOutcomes(options).values("margin", base, tuned)
                .yesNo("preferred", likelier(base), likelier(tuned)).results();
        return new PreferenceReport(results.get(0), results.get(1), leftOut,
                verdict(results.get(0), results.get(1), options));
    }

    private static boolean[] likelier(double[] margins) {
        boolean[] likelier = new boolean[margins.length];
        IntStream.range(0, margins.length).forEach(i -> likelier[i] = margins[i] > 0);
        return likelier;
    }

    private static Verdict verdict(MetricResult margin, MetricResult preferred, ComparisonOptions options) {
        double alpha = options.power().alpha();
        String found = String.format(Locale.ROOT, "the margin of better over worse answers moved by %+.2f nats "
                + "[%+.2f, %+.2f] on %s (p %s), and the better answer is the likelier one in %.0f %% of "
                + "them against %.0f %%, difference %+.0f points [%+.0f, %+.0f]", margin.difference(),
                margin.interval().low(), margin.interval().high(), Count.of(margin.items(), "held-out pair"),
                p(margin.pAdjusted()), 100 * preferred.tuned(), 100 * preferred.base(), 100 * preferred.difference(),
                100 * preferred.interval().low(), 100 * preferred.interval().high());
        if (margin.isWorse(alpha) || preferred.isWorse(alpha)) {
            return new Verdict(Verdict.Decision.DO_NOT_SHIP, 0, found);
        }
        if (margin.isBetter(alpha)) {
            return new Verdict(Verdict.Decision.SHIP, 0, found);
        }
        if (margin.difference() == 0) {
            return new Verdict(Verdict.Decision.DO_NOT_SHIP, 0, found + ": the models do not differ");
        }
        int needed = options.power().itemsNeeded(margin.standardDeviation(), Math.abs(margin.difference()));
        int more = Math.max(1, needed - margin.items());
        return new Verdict(Verdict.Decision.NEED_MORE_ITEMS, more,
                found + "; about " + Count.of(more, "more pair") + " would tell");
    }

    private static String p(double value) {
        return value < 0.0001 ? "< 0.0001" : String.format(Locale.ROOT, "%.2g", value);
    }

    /** The report as one JSON object. */
    public String toJson() {
        ObjectNode node = new ObjectMapper().createObjectNode();
        node.putObject("verdict").put("decision", verdict.decision().key()).put("sentence", verdict.sentence())
                .put("items_needed", verdict.itemsNeeded());
        node.put("pairs", margin.items()).put("left_out", leftOut);
        for (MetricResult metric : List.of(margin, preferred)) {
            node.putObject(metric.name()).put("base", metric.base()).put("tuned", metric.tuned())
                    .put("difference", metric.difference()).put("ci_low", metric.interval().low())
                    .put("ci_high", metric.interval().high()).put("p", metric.pAdjusted()).put("test", metric.test());
        }
        return node.toString();
    }

    /** The report as Markdown. */
    public String toMarkdown() {
        StringBuilder text = new StringBuilder("# Preferences\n\n").append(verdict).append(".\n");
        List<List<String>> rows = rows();
        for (int i = 0; i < rows.size(); i++) {
            text.append("\n| ").append(String.join(" | ", rows.get(i))).append(" |");
            text.append(i > 0 ? "" : "\n|" + "---|".repeat(rows.get(i).size()));
        }
        return text.append("\n\n").append(note()).append("\n").toString();
    }

    /** The report as one HTML page that loads nothing. */
    public String toHtml() {
        Tone tone = switch (verdict.decision()) {
            case SHIP -> Tone.GOOD;
            case DO_NOT_SHIP -> Tone.BAD;
            case NEED_MORE_ITEMS -> Tone.OPEN;
        };
        List<List<String>> rows = rows();
        Table table = Table.of(rows.get(0));
        rows.subList(1, rows.size()).forEach(row -> table.row(row.toArray()));
        String decision = verdict.decision().key().replace('_', ' ');
        return Page.titled("Preferences: base against tuned").add(
                Blocks.banner(tone, decision.substring(0, 1).toUpperCase(Locale.ROOT) + decision.substring(1),
                        verdict.sentence()), Blocks.card("Held-out pairs", table.html(), Blocks.note(note()))).html();
    }

    /** A header and a row for each metric. */
    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("", "base", "tuned", "difference",
                String.format(Locale.ROOT, "%.0f %% interval", 100 * margin.interval().level()), "p"));
        for (MetricResult metric : List.of(margin, preferred)) {
            rows.add(List.of(metric == margin ? "margin, nats" : "better answer likelier, share",
                    String.format(Locale.ROOT, "%.2f", metric.base()), String.format(Locale.ROOT, "%.2f",
                    metric.tuned()), String.format(Locale.ROOT, "%+.2f", metric.difference()),
                    String.format(Locale.ROOT, "[%+.2f, %+.2f]", metric.interval().low(), metric.interval().high()),
                    p(metric.pAdjusted())));
        }
        return rows;
    }

    private String note() {
        return Count.of(margin.items(), "pair") + (leftOut > 0 ? ", " + leftOut + " left out" : "")
                + ". A margin is the log-probability of the better answer less that of the worse one. What the model "
                + "writes by itself, and what it may have forgotten, "
                + "is another question: evaluate it on questions, too.";
    }
}
