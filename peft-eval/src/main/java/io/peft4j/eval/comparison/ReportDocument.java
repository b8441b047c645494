package io.peft4j.eval.comparison;

import io.peft4j.core.Internal;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.IntervalPlot;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Table;
import io.peft4j.report.support.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * A report about base and tuned model in sections, as one HTML page and as Markdown: what is added is in both,
 * pictures on the page alone. The verdict comes first.
 */
@Internal
public final class ReportDocument {
    private final Page page;
    private final StringBuilder text = new StringBuilder();
    private final List<Html> parts = new ArrayList<>();
    private String heading = "";

    /**
     * A report that opens with a verdict.
     *
     * @param below what is right below it on the page
     */
    public ReportDocument(Verdict verdict, Object... below) {
        page = Page.titled(verdict.words() + ": base against tuned")
                .add(Blocks.banner(tone(verdict), verdict.words(), verdict.sentences(), below));
        text.append("# ").append(verdict.words()).append("\n\n").append(verdict.lines(ReportDocument::escape))
                .append('\n');
    }

    private static Status tone(Verdict verdict) {
        return switch (verdict.decision()) {
            case SHIP -> Status.GOOD;
            case DO_NOT_SHIP -> Status.BAD;
            case PROMPT_INSTEAD -> Status.PLAIN;
            case NOT_FINISHED, HARM_NOT_KNOWN, NEED_MORE_ITEMS -> Status.OPEN;
        };
    }

    /** Begins a section: its heading, and how to read what follows. */
    public ReportDocument section(String title, String note) {
        endSection();
        heading = title;
        text.append("\n## ").append(escape(title)).append('\n');
        return note.isEmpty() ? this : picture(Blocks.note(note)).words("\n" + escape(note) + "\n");
    }

    private void endSection() {
        if (!heading.isEmpty()) {
            page.add(Blocks.card(heading, parts));
            parts.clear();
            heading = "";
        }
    }

    /** Adds a block of its own to the page. */
    public ReportDocument block(Html html) {
        endSection();
        page.add(html);
        return this;
    }

    /** Adds to the section on the page. */
    public ReportDocument picture(Html html) {
        parts.add(html);
        return this;
    }

    /** Adds Markdown. */
    public ReportDocument words(String markdown) {
        text.append(markdown);
        return this;
    }

    /** Adds a paragraph. */
    public ReportDocument paragraph(String words) {
        return picture(Html.tag("p", words)).words("\n" + escape(words) + "\n");
    }

    /** Adds the results of metrics, and how far apart base and the arm are as a picture. */
    public ReportDocument metrics(String what, String arm, List<MetricResult> results) {
        List<String> header = List.of(what, "base", arm, "difference", "95 % interval", "p", "p (Holm)", "effect",
                "test", "n");
        List<List<String>> rows = results.stream().map(metric -> List.of(NumberFormats.name(metric),
                NumberFormats.score(metric, metric.base()), NumberFormats.score(metric, metric.tuned()),
                NumberFormats.points(metric, metric.difference()), NumberFormats.interval(metric),
                NumberFormats.p(metric.pValue()), NumberFormats.p(metric.pAdjusted()),
                String.format(Locale.ROOT, "%.2f", metric.effectSize()), NumberFormats.name(metric.test()),
                Integer.toString(metric.items()))).toList();
        return picture(plot(what, results)).picture(pageTable(header, rows)).words(table(header, rows, cell -> cell));
    }

    /** Adds a table. */
    public ReportDocument table(List<String> header, List<List<String>> rows) {
        return picture(pageTable(header, rows)).wordTable(header, rows);
    }

    /** Adds a table as Markdown alone. */
    public ReportDocument wordTable(List<String> header, List<List<String>> rows) {
        return words(table(header, rows, ReportDocument::escape));
    }

    private static Html pageTable(List<String> header, List<List<String>> rows) {
        Table table = Table.of(header);
        rows.forEach(row -> table.row(row.toArray()));
        return table.html();
    }

    private static String table(List<String> header, List<List<String>> rows, UnaryOperator<String> written) {
        StringBuilder table = new StringBuilder("\n");
        Consumer<List<String>> line = cells -> table.append("| ").append(cells.stream().map(written)
                .collect(Collectors.joining(" | "))).append(" |\n");
        line.accept(header);
        table.append("|---|").append("---:|".repeat(header.size() - 1)).append('\n');
        rows.forEach(line);
        return table.toString();
    }

    /** Adds names and what they stand for. */
    public ReportDocument facts(Map<String, String> facts) {
        words("\n");
        facts.forEach((name, value) -> words("- " + name + ": " + escape(value) + "\n"));
        return picture(Blocks.facts(facts));
    }

    /**
     * What the tuned model is compared with that needs no training, as a section if there is such.
     *
     * @param verdict what names them
     */
    public ReportDocument untrained(Verdict verdict) {
        List<Verdict.Untrained> ways = verdict.untrained();
        return ways.isEmpty() ? this : section("What needs no training", "The tuned model must beat each of these in \""
                + NumberFormats.name(ways.get(0).tuned()) + "\" to be worth its training.")
                .table(List.of("arm", "what it is", "score", "tuned", "difference", "95 % interval"),
                        ways.stream().map(way -> List.of(way.name(), way.description(),
                                NumberFormats.score(way.tuned(), way.tuned().base()),
                                NumberFormats.score(way.tuned(), way.tuned().tuned()),
                                NumberFormats.points(way.tuned(), way.tuned().difference()),
                                NumberFormats.interval(way.tuned()))).toList());
    }

    /** The page. */
    public String html() {
        endSection();
        return page.html();
    }

    /** The Markdown, for a pull request or a chat. */
    public String markdown() {
        return text.toString();
    }

    /** Differences with intervals that say something; to the right is better, also of metrics that are to be low. */
    public static Html plot(String title, List<MetricResult> results) {
        IntervalPlot plot = IntervalPlot.titled(title + ": differences with intervals");
        results.stream().filter(metric -> !metric.isInNats() && !metric.interval().saysNothing(metric.range()))
                .forEach(metric -> {
                    double points = 100 / metric.scale();
                    plot.row(NumberFormats.name(metric), points * metric.gainInterval().low(), points * metric.gain(),
                            points * metric.gainInterval().high());
                });
        return plot.html();
    }

    /** Answers on the first screen: right ones beside failures. */
    public static Html sideBySide(String right, List<Html> ofRight, String wrong, List<Html> ofWrong, Object... below) {
        return Html.tag("section", Blocks.sides(column(right, ofRight), column(wrong, ofWrong))).css("card").add(below);
    }

    private static Html column(String title, List<Html> answers) {
        return Html.tag("div", Html.tag("h2", title)).add(answers).css("brief");
    }

    /** A question and what was said, in the order of the map. */
    public static Html example(Object question, Map<String, ?> said) {
        return Html.all(Html.tag("article", Html.tag("h3", question), Blocks.facts(said)).css("example"), "\n");
    }

    /** Text of models and data: on one line, and never read as Markdown or HTML. */
    public static String escape(String text) {
        return text.strip().replaceAll("\\s+", " ").replaceAll("([\\\\`*_{}\\[\\]<>#|~])", "\\\\$1");
    }
}
