package io.peft4j.eval.report;

import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.failure.FailureGroup;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.eval.study.TrainingStudy;
import io.peft4j.eval.task.AnswerScoring;
import io.peft4j.eval.task.EvaluationItem;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A report as one HTML page that loads nothing: style and plots stand in it, and there is no script. */
final class HtmlReport {
    private static final int MOST_ANSWERS = 300;

    private final ComparisonReport report;
    private final boolean[] baseRight;
    private final boolean[] tunedRight;
    private final StringBuilder out = new StringBuilder();

    HtmlReport(ComparisonReport report) {
        this.report = report;
        AnswerScoring scoring = new AnswerScoring(report.items());
        this.baseRight = scoring.right(report.base().answers());
        this.tunedRight = scoring.right(report.tuned().answers());
    }

    String page() {
        out.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                .append("<title>").append(Figures.decision(report)).append(": base against tuned</title>\n<style>\n")
                .append(style()).append("</style>\n</head>\n<body>\n<main>\n");
        verdict();
        metrics();
        arms();
        report.guard().ifPresent(this::guard);
        report.study().ifPresent(this::study);
        DetailTable.of(report).forEach(table -> section(table, ""));
        failures();
        answers();
        measured();
        return out.append("</main>\n</body>\n</html>\n").toString();
    }

    private static String style() {
        try (InputStream in = HtmlReport.class.getResourceAsStream("report.css")) {
            if (in == null) {
                throw new FileNotFoundException("missing from the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the style of reports", e);
        }
    }

    private void verdict() {
        out.append("<header class=\"verdict ").append(report.verdict().decision().key()).append("\">\n<h1>")
                .append(Figures.decision(report)).append("</h1>\n<p>").append(escape(report.verdict().sentence()))
                .append("</p>\n</header>\n");
    }

    private void metrics() {
        out.append("<section>\n<h2>Base against tuned, ").append(report.items().size()).append(" items</h2>\n");
        out.append("<p class=\"note\">Difference in points of 100 with its 95 % interval. \"")
                .append(Figures.name(report.metric())).append("\" decides.</p>\n");
        out.append(new IntervalPlot(report.metrics()).svg("Differences with intervals"));
        table(report.metrics(), "metric", "tuned");
        report.otherArms().forEach((name, results) -> {
            out.append("<h3>Base against ").append(escape(name)).append("</h3>\n");
            table(results, "metric", escape(name));
        });
        out.append("</section>\n");
    }

    private void table(List<MetricResult> results, String what, String arm) {
        out.append("<div class=\"wide\"><table>\n<thead><tr><th>").append(what)
                .append("</th><th>base</th><th>").append(arm).append("</th>"
                + "<th>difference</th><th>95 % interval</th><th>p</th><th>p (Holm)</th><th>effect</th><th>test</th>"
                + "<th>n</th></tr></thead>\n<tbody>\n");
        for (MetricResult metric : results) {
            out.append("<tr><th>").append(Figures.name(metric.name())).append("</th>");
            List.of(Figures.score(metric, metric.base()), Figures.score(metric, metric.tuned()),
                    Figures.points(metric, metric.difference()), Figures.interval(metric), Figures.p(metric.pValue()),
                    Figures.p(metric.pAdjusted()), String.format(Locale.ROOT, "%.2f", metric.effectSize()),
                    Figures.name(metric.test()), Integer.toString(metric.items()))
                    .forEach(cell -> out.append("<td>").append(escape(cell)).append("</td>"));
            out.append("</tr>\n");
        }
        out.append("</tbody>\n</table></div>\n");
    }

    private void arms() {
        out.append("<section>\n<h2>Who answered</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>arm</th>");
        report.base().scores().keySet().forEach(key -> out.append("<th>").append(Figures.name(key)).append("</th>"));
        out.append("<th>time</th></tr></thead>\n<tbody>\n");
        for (ArmResult arm : report.arms()) {
            out.append("<tr><th>").append(escape(arm.name())).append("<small>").append(escape(arm.description()))
                    .append("</small></th>");
            arm.scores().forEach((key, value) -> out.append("<td>").append(report.metric(key)
                    .map(metric -> Figures.score(metric, value)).orElse("")).append("</td>"));
            out.append("<td>").append(arm.seconds() == 0 ? "-" : String.format(Locale.ROOT, "%.1f s", arm.seconds()))
                    .append("</td></tr>\n");
        }
        out.append("</tbody>\n</table></div>\n</section>\n");
    }

    private void guard(GuardReport guard) {
        out.append("<section>\n<h2>Guard set of general ability, ").append(guard.items()).append(" items</h2>\n");
        out.append("<p class=\"note\">What the training has cost. Each item is answered freely and chosen by "
                + "likelihood.</p>\n");
        List<MetricResult> parts = new ArrayList<>(List.of(guard.overall()));
        parts.addAll(guard.parts());
        out.append(new IntervalPlot(parts).svg("Guard set, differences with intervals"));
        table(parts, "part", "tuned");
        out.append("</section>\n");
    }

    private void study(TrainingStudy study) {
        section(DetailTable.trainings(study), study.curve().map(curve -> new CurvePlot(study, curve).svg())
                .orElse(""));
    }

    private void section(DetailTable table, String plot) {
        out.append("<section>\n<h2>").append(escape(table.title())).append("</h2>\n<p class=\"note\">")
                .append(escape(table.note())).append("</p>\n").append(plot)
                .append("<div class=\"wide\"><table>\n<thead><tr>");
        table.header().forEach(cell -> out.append("<th>").append(escape(cell)).append("</th>"));
        out.append("</tr></thead>\n<tbody>\n");
        for (List<String> row : table.rows()) {
            out.append("<tr><th>").append(escape(row.get(0))).append("</th>");
            row.subList(1, row.size()).forEach(cell -> out.append("<td>").append(escape(cell)).append("</td>"));
            out.append("</tr>\n");
        }
        out.append("</tbody>\n</table></div>\n</section>\n");
    }

    private void failures() {
        out.append("<section>\n<h2>Where the tuned model fails</h2>\n<p>").append(report.failures().wrong().size())
                .append(" of ").append(report.items().size()).append(" items are wrong; right before: ")
                .append(report.failures().regressions().size()).append(".</p>\n");
        report.leakage().ifPresent(leakage -> out.append("<p>Held-out items that also stand in the training data: ")
                .append(leakage.count()).append(" of ").append(leakage.items()).append("; asked there in other words: ")
                .append(leakage.reworded().size()).append(".</p>\n"));
        if (!report.failures().groups().isEmpty()) {
            out.append("<div class=\"wide\"><table>\n<thead><tr><th>in common</th><th>wrong</th><th>of</th>"
                    + "<th>words</th><th>similar to training</th><th>collect about</th></tr></thead>\n<tbody>\n");
            for (FailureGroup group : report.failures().groups()) {
                out.append("<tr><th>").append(escape(group.common())).append("<small>")
                        .append(escape(report.items().get(group.items().get(0)).question())).append("</small></th>");
                List.of(group.items().size() + "", group.itemsLikeThese() + "",
                        String.format(Locale.ROOT, "%.0f", group.meanWords()),
                        Double.isNaN(group.trainingSimilarity()) ? "-"
                                : String.format(Locale.ROOT, "%.2f", group.trainingSimilarity()),
                        group.examplesToCollect() + " examples")
                        .forEach(cell -> out.append("<td>").append(cell).append("</td>"));
                out.append("</tr>\n");
            }
            out.append("</tbody>\n</table></div>\n");
        }
        out.append("</section>\n");
    }

    private void answers() {
        List<Integer> order = report.itemsByInterest();
        out.append("<section>\n<h2>Answers side by side</h2>\n<p class=\"note\">What was right before and is wrong now "
                + "comes first, then what is wrong, then what is right. Words that only one answer has are marked.")
                .append(order.size() > MOST_ANSWERS ? " The first " + MOST_ANSWERS + " of " + order.size() + "." : "")
                .append("</p>\n");
        order.stream().limit(MOST_ANSWERS).forEach(this::answer);
        out.append("</section>\n");
    }

    private void answer(int i) {
        EvaluationItem item = report.items().get(i);
        String base = report.base().answers().get(i);
        String tuned = report.tuned().answers().get(i);
        out.append("<article>\n<h3>").append(escape(item.question())).append(report.failures().regressions().contains(i)
                ? " <em>right before</em>" : "").append("</h3>\n<p class=\"note\">Expected: ")
                .append(escape(item.expected())).append("</p>\n<div class=\"sides\">\n");
        side("Base", baseRight[i], base, tuned);
        side("Tuned", tunedRight[i], tuned, base);
        out.append("</div>\n</article>\n");
    }

    private void side(String name, boolean right, String text, String other) {
        out.append("<div class=\"").append(right ? "right" : "wrong").append("\"><b>").append(name).append(": ")
                .append(right ? "right" : "wrong").append("</b><p>");
        for (Words.Word word : Words.compared(text, other)) {
            out.append(word.common() ? "" : "<mark>").append(escape(word.text()))
                    .append(word.common() ? " " : "</mark> ");
        }
        out.append("</p></div>\n");
    }

    private void measured() {
        out.append("<section>\n<h2>How it was measured</h2>\n<dl>\n");
        report.facts().forEach(this::fact);
        report.signatures().forEach((key, value) -> fact(Figures.name(key), value));
        fact("smallest gain that these items show with 80 % power",
                Figures.points(report.decidingResult(), report.decidingResult().detectable()) + " points of "
                        + Figures.name(report.metric()));
        out.append("</dl>\n</section>\n");
    }

    private void fact(String key, String value) {
        out.append("<dt>").append(escape(key)).append("</dt><dd>").append(escape(value)).append("</dd>\n");
    }

    /** Texts of models and data are shown, never run. */
    static String escape(String text) {
        StringBuilder safe = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                default -> {
                    boolean control = Character.isISOControl(c) && c != '\n' && c != '\t';
                    safe.appendCodePoint(control || c >= 0xd800 && c <= 0xdfff ? 0xfffd : c);
                }
            }
        });
        return safe.toString();
    }
}
