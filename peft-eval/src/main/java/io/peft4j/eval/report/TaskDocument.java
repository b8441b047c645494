package io.peft4j.eval.report;

import io.peft4j.eval.comparison.NumberFormats;
import io.peft4j.eval.comparison.ReportDocument;
import io.peft4j.eval.report.TaskReport.RowAnswer;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.LinePlot;
import io.peft4j.report.support.MatrixTable;
import io.peft4j.report.support.Status;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What a report about a model with a head says, section by section. */
final class TaskDocument {
    private static final int MOST_ON_PAGE = 300;
    private static final int MOST_IN_TEXT = 20;
    private static final int MOST_EXAMPLES = 3;

    private TaskDocument() {
    }

    static ReportDocument of(TaskReport report) {
        ReportDocument out = new ReportDocument(report.verdict(), bars(report));
        out.block(answers(report));
        out.section("Base against tuned, " + report.rows() + " rows",
                "Differences in points of 100, of log-likelihoods "
                        + "in nats, with their intervals. \"" + NumberFormats.name(report.metric()) + "\" decides.")
                .metrics("metric", "tuned", report.metrics()).untrained(report.verdict());
        out.section("Scores of each arm", "Scores with their 95 % intervals: Wilson's of shares, BCa bootstrap of "
                + "others. The base " + report.base().description() + ".").table(List.of("score", "base", "tuned"),
                        report.tuned().scores().keySet().stream().map(name -> List.of(NumberFormats.name(name),
                                score(report.base().scores().get(name)), score(report.tuned().scores().get(name))))
                                .toList());
        if (!report.tuned().classes().isEmpty()) {
            classes(report, out);
        }
        report.tuned().confusion().ifPresent(confusion -> out.section("Confusion matrix of the tuned model",
                "Rows are expected classes, columns predicted ones; the darker, the larger the share of its row.")
                .picture(MatrixTable.of("expected", confusion.labels(), confusion::count))
                .wordTable(ComparisonDocument.header(confusion),
                        ComparisonDocument.rows(confusion, confusion.labels().size())));
        report.curves().forEach(curve -> out.block(plot(curve)));
        out.words("\n## Where the tuned model fails\n\n" + failed(report) + "\n\n");
        report.wrong().stream().limit(MOST_IN_TEXT).forEach(row -> out.words(String.format(Locale.ROOT,
                "- row %d%s: %s: expected %s, base %s, tuned %s%n", row.row(), row.baseRight() ? " (right before)"
                        : "",
                ReportDocument.escape(row.text()), ReportDocument.escape(row.expected()),
                ReportDocument.escape(row.base()), ReportDocument.escape(row.tuned()))));
        return out.section("How it was measured", "").facts(report.facts());
    }

    private static void classes(TaskReport report, ReportDocument out) {
        out.section("Classes", "Precision: the share of predictions of a class that are right. Recall: the share of "
                + "its rows that are found. F1 with its 95 % interval.")
                .table(List.of("class", "precision", "recall", "F1", "interval", "base F1", "support"),
                        report.tuned().classes().stream().map(each -> List.of(each.label(), number(each.precision()),
                                number(each.recall()), number(each.f1()), each.f1Interval().words(1,
                                        TaskDocument::number),
                                report.base().classes().stream()
                                        .filter(base -> base.label().equals(each.label())).findFirst()
                                        .map(base -> number(base.f1())).orElse("-"),
                                Integer.toString(each.support()))).toList());
    }

    private static Html plot(Curve curve) {
        LinePlot plot = LinePlot.of(curve.title(), curve.axis());
        LinePlot.Legend legend = new LinePlot.Legend();
        for (int i = 0; i < curve.lines().size(); i++) {
            Curve.Line line = curve.lines().get(i);
            plot.line(i, line.name(), doubles(line.x()), doubles(line.y()));
            legend.line(i, line.name());
        }
        return Blocks.card(curve.title(), legend.html(), plot.html());
    }

    private static Html bars(TaskReport report) {
        Map<String, TaskArm.Score> shares = new LinkedHashMap<>();
        boolean downwards = report.metrics().stream().anyMatch(metric -> metric.name().equals(report.metric())
                && (metric.lowerIsBetter() || metric.isInNats()));
        List.of(report.base(), report.tuned()).forEach(arm -> Optional.ofNullable(arm.scores().get(report.metric()))
                .filter(score -> !downwards && score.value() >= 0 && score.value() <= 1)
                .ifPresent(score -> shares.put(arm.name(), score)));
        return ComparisonDocument.bars(report.metric(), shares.size() < 2 ? Map.of() : shares);
    }

    private static double[] doubles(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    /** The clearest right answers beside the clearest failures, the other failures folded. */
    private static Html answers(TaskReport report) {
        List<RowAnswer> right = report.answers().stream().filter(RowAnswer::tunedRight).toList();
        List<RowAnswer> wrong = report.wrong();
        boolean numbers = isOfNumbers(report);
        Html others = Html.tag("details", Html.tag("summary", wrong.size() > MOST_ON_PAGE
                ? "More failures, up to " + MOST_ON_PAGE : "More failures"));
        List<RowAnswer> first = clearest(wrong, numbers);
        wrong.stream().filter(row -> !first.contains(row)).limit(MOST_ON_PAGE - first.size())
                .forEach(row -> others.add(answer(row, numbers)));
        String all = " of " + report.answers().size();
        return ReportDocument.sideBySide(numbers ? "Closest" : "Right answers: " + right.size() + all,
                clearest(right, numbers).stream().map(row -> answer(row, numbers)).toList(),
                numbers ? "Farthest off" : "Failures: " + wrong.size() + all,
                first.stream().map(row -> answer(row, numbers)).toList(),
                Blocks.note(failed(report)), wrong.size() > first.size() ? others : "");
    }

    /** Those where the other model was the other way round, then those quickest to read; of numbers the first. */
    private static List<RowAnswer> clearest(List<RowAnswer> rows, boolean numbers) {
        Comparator<RowAnswer> order = Comparator.<RowAnswer>comparingInt(row -> row.baseRight() == row.tunedRight()
                ? 1 : 0).thenComparingInt(row -> row.text().length() + row.tuned().length());
        return rows.stream().sorted(numbers ? (a, b) -> 0 : order).limit(MOST_EXAMPLES).toList();
    }

    private static Html answer(RowAnswer row, boolean number) {
        Map<String, Html> said = new LinkedHashMap<>();
        said.put("Expected", Html.all(row.expected()));
        said.put("Base", Blocks.toned(number ? Status.PLAIN : row.baseRight() ? Status.GOOD : Status.BAD, row.base()));
        said.put("Tuned",
                Blocks.toned(number ? Status.PLAIN : row.tunedRight() ? Status.GOOD : Status.BAD, row.tuned()));
        return ReportDocument.example("Row " + row.row() + (row.baseRight() && !row.tunedRight() ? ", right before: "
                : ": ") + row.text(), said);
    }

    private static boolean isOfNumbers(TaskReport report) {
        return report.metrics().stream().anyMatch(metric -> metric.name().equals("r2"));
    }

    private static String failed(TaskReport report) {
        String leaks = report.leakage().map(leakage -> " " + leakage).orElse("");
        return (isOfNumbers(report) ? "The " + report.wrong().size() + " rows that are farthest off."
                : rows(report.wrong().stream()) + " of " + report.rows() + " rows are wrong; right before: "
                        + rows(report.wrong().stream().filter(RowAnswer::baseRight)) + ".")
                + leaks;
    }

    /** How many rows, where a row may be wrong more than once. */
    private static long rows(Stream<RowAnswer> wrong) {
        return wrong.mapToInt(RowAnswer::row).distinct().count();
    }

    private static String score(TaskArm.Score score) {
        return number(score.value()) + score.interval().map(interval -> " " + interval.words(score.range(),
                TaskDocument::number)).orElse("");
    }

    private static String number(double value) {
        return NumberFormats.number("%.3f", value);
    }
}
