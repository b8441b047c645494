package io.peft4j.eval.report;

import io.peft4j.core.error.support.Count;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.task.EvaluationItem;
import java.util.List;

/** A report as Markdown: for a pull request or a chat. */
final class MarkdownReport {
    private static final int MOST_ANSWERS = 20;

    private final ComparisonReport report;
    private final StringBuilder out = new StringBuilder();

    MarkdownReport(ComparisonReport report) {
        this.report = report;
    }

    String text() {
        line("# " + report.verdict().words());
        line("");
        line(escape(report.verdict().sentence()));
        Losses losses = Losses.of(report);
        if (!losses.isEmpty()) {
            line("");
            line("**" + Losses.HEADING + "**");
            line("");
            losses.sentences().forEach(text -> line("- " + escape(text)));
        }
        table("Base against tuned, " + Count.of(report.items().size(), "item"), "tuned", report.metrics());
        DetailTable.untrained(report.verdict()).ifPresent(this::table);
        report.otherArms().forEach((name, metrics) -> table("Base against " + name, name, metrics));
        report.guard().ifPresent(guard -> {
            table("Guard set of general ability, " + Count.of(guard.items(), "item"), "tuned",
                    List.of(guard.overall()));
            table("Guard set by form and category", "tuned", guard.parts());
        });
        report.leakage().ifPresent(leakage -> line("\n" + escape(leakage.toString())));
        report.study().ifPresent(study -> table(DetailTable.trainings(study)));
        DetailTable.of(report).forEach(this::table);
        failures();
        line("");
        line("## How it was measured");
        line("");
        report.arms().forEach(arm -> line("- " + arm.name() + ": " + escape(arm.description())));
        report.facts().forEach((key, value) -> line("- " + key + ": " + escape(value)));
        report.signatures().forEach((key, value) -> line("- " + NumberFormats.name(key) + ": `" + value + "`"));
        return out.toString();
    }

    private void table(String title, String arm, List<MetricResult> metrics) {
        out.append(metrics(title, arm, metrics));
    }

    private void table(DetailTable table) {
        out.append(details(table));
    }

    /** A table of metrics below its heading. */
    static String metrics(String title, String arm, List<MetricResult> metrics) {
        StringBuilder text = new StringBuilder("\n## " + title + "\n\n| metric | base | " + arm
                + " | difference | 95 % interval | p | p (Holm) | test | n |\n"
                + "|---|---:|---:|---:|---|---:|---:|---|---:|\n");
        metrics.forEach(metric -> text.append("| ").append(String.join(" | ", NumberFormats.name(metric),
                NumberFormats.score(metric, metric.base()), NumberFormats.score(metric, metric.tuned()),
                NumberFormats.points(metric, metric.difference()), NumberFormats.interval(metric),
                NumberFormats.p(metric.pValue()),
                NumberFormats.p(metric.pAdjusted()), NumberFormats.name(metric.test()),
                Integer.toString(metric.items())))
                .append(" |\n"));
        return text.toString();
    }

    /** A table of details below its heading. */
    static String details(DetailTable table) {
        StringBuilder text = new StringBuilder("\n## " + escape(table.title()) + "\n\n" + escape(table.note())
                + "\n\n| " + String.join(" | ", table.header().stream().map(MarkdownReport::escape).toList())
                + " |\n|---|" + "---:|".repeat(table.header().size() - 1) + "\n");
        table.rows().forEach(row -> text.append("| ").append(String.join(" | ",
                row.stream().map(MarkdownReport::escape).toList())).append(" |\n"));
        return text.toString();
    }

    private void failures() {
        line("");
        line("## Where the tuned model fails");
        line("");
        line(report.failures().wrong().size() + " of " + report.items().size() + " items are wrong; right before: "
                + report.failures().regressions().size() + ".");
        line("");
        report.failures().collectNext(report.items()).forEach(text -> line("- " + escape(text)));
        int shown = 0;
        for (int i : report.failures().wrong()) {
            if (shown++ == MOST_ANSWERS) {
                break;
            }
            EvaluationItem item = report.items().get(i);
            line("");
            line("**" + escape(item.question()) + "**" + (report.failures().regressions().contains(i)
                    ? " (right before)" : ""));
            line("");
            line("- expected: " + escape(item.expected()) + " (" + item.judgedBy() + ")");
            line("- base: " + escape(item.shown(report.base().answers().get(i))));
            line("- tuned: " + escape(item.shown(report.tuned().answers().get(i))));
        }
    }

    /** Text of models and data: on one line, and never read as Markdown or HTML. */
    static String escape(String text) {
        return text.strip().replaceAll("\\s+", " ").replaceAll("([\\\\`*_{}\\[\\]<>#|~])", "\\\\$1");
    }

    private void line(String text) {
        out.append(text).append('\n');
    }
}
