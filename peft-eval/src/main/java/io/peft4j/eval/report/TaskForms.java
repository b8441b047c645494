package io.peft4j.eval.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.eval.comparison.internal.VerdictTone;
import io.peft4j.eval.report.TaskReport.RowAnswer;
import io.peft4j.eval.task.Classification;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.LinePlot;
import io.peft4j.report.support.MatrixTable;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Table;
import io.peft4j.report.support.Tone;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A report about a model with a head, in its three forms. */
final class TaskForms {
    private static final int MOST_ON_PAGE = 300;
    private static final int MOST_IN_TEXT = 20;
    private static final int MOST_EXAMPLES = 3;

    private TaskForms() {
    }

    static ObjectNode json(TaskReport report) {
        ObjectNode node = new ObjectMapper().createObjectNode().put("n", report.rows());
        node.set("metrics", ComparisonJson.metrics(report.metrics()));
        node.set("verdict", report.verdict().toJson());
        node.put("deciding_metric", report.metric());
        ObjectNode arms = node.putObject("arms");
        arm(arms.putObject(report.base().name()), report.base());
        report.verdict().untrained().forEach(way -> arms.putObject(way.name()).put("description", way.description()));
        report.otherArms().forEach((name, metrics) -> {
            node.withObject("/other_arms").set(name, ComparisonJson.metrics(metrics));
            metrics.forEach(metric -> arms.withObject("/" + name + "/scores/" + metric.name()).put("value", metric
                    .tuned()));
        });
        arm(arms.putObject(report.tuned().name()), report.tuned());
        report.curves().forEach(curve -> {
            ObjectNode lines = node.withObject("/curves").putObject(curve.title());
            curve.lines().forEach(line -> {
                ObjectNode points = lines.putObject(line.name());
                line.x().forEach(points.putArray("x")::add);
                line.y().forEach(points.putArray("y")::add);
            });
        });
        report.leakage().ifPresent(leakage -> node.set("leakage", ComparisonJson.leakage(leakage)));
        ObjectNode failures = node.putObject("failures").put("wrong", report.wrong().size()).put("regressions",
                report.wrong().stream().filter(RowAnswer::baseRight).count());
        ArrayNode rows = failures.putArray("rows");
        report.wrong().forEach(row -> rows.addObject().put("row", row.row()).put("text", row.text())
                .put("expected", row.expected()).put("base", row.base()).put("tuned", row.tuned())
                .put("right_before", row.baseRight()));
        report.facts().forEach(node.putObject("facts")::put);
        return node;
    }

    private static void arm(ObjectNode node, TaskArm arm) {
        node.put("description", arm.description());
        ObjectNode scores = node.putObject("scores");
        arm.scores().forEach((name, score) -> {
            ObjectNode one = scores.putObject(name).put("value", score.value());
            score.interval().ifPresent(interval -> interval.putInto(one, "ci", score.range()));
        });
        arm.classes().forEach(each -> {
            ObjectNode one = node.withObject("/classes").putObject(each.label()).put("precision", each.precision())
                    .put("recall", each.recall()).put("f1", each.f1());
            each.f1Interval().putInto(one, "f1_ci", 1);
            one.put("support", each.support());
        });
        arm.confusion().ifPresent(confusion -> {
            ArrayNode labels = node.putObject("confusion").putArray("labels");
            confusion.labels().forEach(labels::add);
            ArrayNode matrix = node.withObject("/confusion").putArray("matrix");
            confusion.confusion().forEach(row -> {
                ArrayNode line = matrix.addArray();
                row.forEach(line::add);
            });
        });
    }

    static String page(TaskReport report) {
        String decision = report.verdict().words();
        Page page = Page.titled(decision + ": base against tuned").add(
                Blocks.banner(VerdictTone.of(report.verdict()), decision, report.verdict().sentence(),
                        bars(report)),
                answers(report),
                Blocks.card("Base against tuned, " + report.rows() + " rows", Blocks.note("Differences in points of "
                        + "100, of log-likelihoods in nats, with their intervals. \""
                        + NumberFormats.name(report.metric()) + "\" decides."),
                        HtmlReport.plot("Differences with intervals", report.metrics()),
                        HtmlReport.table(report.metrics(), "metric", "tuned")));
        tables(report).forEach(table -> {
            Table rows = Table.of(table.header());
            table.rows().forEach(row -> rows.row(row.toArray()));
            page.add(Blocks.card(table.title(), Blocks.note(table.note()), rows.html()));
        });
        report.tuned().confusion().ifPresent(confusion -> page.add(Blocks.card("Confusion matrix of the tuned model",
                Blocks.note("Rows are expected classes, columns predicted ones; the darker, the larger the share of "
                        + "its row."),
                MatrixTable.of("expected", confusion.labels(), confusion::count))));
        report.curves().forEach(curve -> {
            LinePlot plot = LinePlot.of(curve.title(), curve.axis());
            LinePlot.Legend legend = new LinePlot.Legend();
            for (int i = 0; i < curve.lines().size(); i++) {
                Curve.Line line = curve.lines().get(i);
                plot.line(i, line.name(), doubles(line.x()), doubles(line.y()));
                legend.line(i, line.name());
            }
            page.add(Blocks.card(curve.title(), legend.html(), plot.html()));
        });
        return page.add(Blocks.card("How it was measured", Blocks.facts(report.facts()))).html();
    }

    private static Html bars(TaskReport report) {
        Map<String, TaskArm.Score> shares = new LinkedHashMap<>();
        boolean downwards = report.metrics().stream().anyMatch(metric -> metric.name().equals(report.metric())
                && (metric.lowerIsBetter() || metric.isInNats()));
        List.of(report.base(), report.tuned()).forEach(arm -> Optional.ofNullable(arm.scores().get(report.metric()))
                .filter(score -> !downwards && score.value() >= 0 && score.value() <= 1)
                .ifPresent(score -> shares.put(arm.name(), score)));
        return HtmlReport.bars(report.metric(), shares.size() < 2 ? Map.of() : shares);
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
        return Html.tag("section", Blocks.sides(
                HtmlReport.column(numbers ? "Closest" : "Right answers: " + right.size() + " of "
                        + report.answers().size(), clearest(right, numbers).stream().map(row -> answer(row, numbers))
                                .toList()),
                HtmlReport.column(numbers ? "Farthest off" : "Failures: " + wrong.size() + " of "
                        + report.answers().size(), first.stream().map(row -> answer(row, numbers)).toList())),
                Blocks.note(failed(report)), wrong.size() > first.size() ? others : "").css("card");
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
        said.put("Base", Blocks.toned(number ? Tone.PLAIN : row.baseRight() ? Tone.GOOD : Tone.BAD, row.base()));
        said.put("Tuned", Blocks.toned(number ? Tone.PLAIN : row.tunedRight() ? Tone.GOOD : Tone.BAD, row.tuned()));
        return HtmlReport.example("Row " + row.row() + (row.baseRight() && !row.tunedRight() ? ", right before: "
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

    static String markdown(TaskReport report) {
        StringBuilder text = new StringBuilder("# " + report.verdict().words() + "\n\n"
                + MarkdownReport.escape(report.verdict().sentence()) + "\n");
        text.append(MarkdownReport.metrics("Base against tuned, " + report.rows() + " rows", "tuned",
                report.metrics()));
        tables(report).forEach(table -> text.append(MarkdownReport.details(table)));
        report.tuned().confusion().ifPresent(confusion -> text.append(MarkdownReport.details(confusion(confusion))));
        text.append("\n## Where the tuned model fails\n\n").append(failed(report)).append("\n\n");
        report.wrong().stream().limit(MOST_IN_TEXT).forEach(row -> text.append(String.format(Locale.ROOT,
                "- row %d%s: %s: expected %s, base %s, tuned %s%n", row.row(), row.baseRight() ? " (right before)"
                        : "",
                MarkdownReport.escape(row.text()), MarkdownReport.escape(row.expected()),
                MarkdownReport.escape(row.base()), MarkdownReport.escape(row.tuned()))));
        text.append("\n## How it was measured\n\n");
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("base", report.base().description());
        facts.putAll(report.facts());
        facts.forEach((name, value) -> text.append("- ").append(name).append(": ").append(MarkdownReport.escape(value))
                .append('\n'));
        return text.toString();
    }

    /** Scores of both arms, and of the classes. */
    private static List<DetailTable> tables(TaskReport report) {
        List<DetailTable> tables = new ArrayList<>(DetailTable.untrained(report.verdict()).stream().toList());
        List<List<String>> scores = new ArrayList<>();
        report.tuned().scores().keySet().forEach(name -> scores.add(List.of(NumberFormats.name(name),
                score(report.base().scores().get(name)), score(report.tuned().scores().get(name)))));
        tables.add(new DetailTable("Scores of each arm", "Scores with their 95 % intervals: Wilson's of shares, BCa "
                + "bootstrap of others. The base " + report.base().description() + ".",
                List.of("score", "base", "tuned"), scores));
        if (!report.tuned().classes().isEmpty()) {
            tables.add(new DetailTable("Classes", "Precision: the share of predictions of a class that are "
                    + "right. Recall: the share of its rows that are found. F1 with its 95 % "
                    + "interval.", List.of("class", "precision", "recall", "F1", "interval", "base F1", "support"),
                    report.tuned().classes().stream().map(each -> List.of(each.label(), number(each.precision()),
                            number(each.recall()), number(each.f1()), each.f1Interval().words(1, TaskForms::number),
                            report.base().classes().stream()
                                    .filter(base -> base.label().equals(each.label())).findFirst()
                                    .map(base -> number(base.f1())).orElse("-"),
                            Integer.toString(each.support()))).toList()));
        }
        return tables;
    }

    private static DetailTable confusion(Classification confusion) {
        List<String> header = new ArrayList<>(List.of("expected"));
        header.addAll(confusion.labels());
        return new DetailTable("Confusion matrix of the tuned model", "Rows are expected classes, columns "
                + "predicted ones.", header, IntStream.range(0, confusion.labels().size()).mapToObj(i -> {
                    List<String> row = new ArrayList<>(List.of(confusion.labels().get(i)));
                    confusion.confusion().get(i).forEach(count -> row.add(Integer.toString(count)));
                    return row;
                }).toList());
    }

    private static String score(TaskArm.Score score) {
        return number(score.value()) + score.interval().map(interval -> " " + interval.words(score.range(),
                TaskForms::number)).orElse("");
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }
}
