package io.peft4j.data.report;

import static io.peft4j.report.support.Html.tag;

import io.peft4j.core.error.Count;
import io.peft4j.data.report.DataReport.DataStatistics;
import io.peft4j.data.report.FindingCode.Severity;
import io.peft4j.report.support.BarPlot;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.HistogramPlot;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Status;
import io.peft4j.report.support.Table;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A report as one HTML page. */
final class ReportPage {
    private static final int MOST_ROWS = 200;
    /** So many are seen at once, the others when they are asked for. */
    private static final int UNFOLDED_ROWS = 10;
    private static final int MOST_LINES = 12;
    private static final int MOST_BARS = 20;

    private final DataReport report;

    ReportPage(DataReport report) {
        this.report = report;
    }

    String html() {
        Page page = Page.titled("Data report").add(head(), overview(), statistics());
        if (!report.statistics().previews().isEmpty()) {
            page.add(previews());
        }
        List<Finding> folded = report.folded();
        for (FindingCode code : FindingCode.values()) {
            List<Finding> list = folded.stream().filter(f -> f.code() == code).limit(MOST_ROWS).toList();
            if (!list.isEmpty()) {
                page.add(findings(code, list));
            }
        }
        return page.html();
    }

    private Html head() {
        long errors = report.errors();
        boolean warned = report.counts().keySet().stream().anyMatch(code -> worst(code) != Severity.INFO);
        Status tone = errors > 0 ? Status.BAD : warned ? Status.OPEN : Status.GOOD;
        Map<String, String> files = new LinkedHashMap<>();
        report.files().forEach((file, rows) -> files.put(file, Count.of(rows, "row")));
        return Blocks.banner(tone, errors > 0 ? Count.of(errors, "error") : "No errors", errors > 0
                ? "A training on these files would fail, or learn or measure nothing."
                : warned ? "Check the findings before a training."
                        : "The files are ready for a training.",
                Blocks.facts(files));
    }

    private Html overview() {
        if (report.counts().isEmpty()) {
            return Blocks.card("What was found", tag("p", "Nothing."));
        }
        Table table = Table.of("what", "findings", "rows", "why it matters", "what to do").texts(3, 4);
        for (FindingCode code : FindingCode.values()) {
            if (report.counts().containsKey(code)) {
                table.row(Blocks.toned(tone(worst(code)), code.code()), number(report.counts().get(code)),
                        number(report.findingRows().get(code)), code.why(), code.advice());
            }
        }
        return Blocks.card("What was found", table.html());
    }

    /** How bad the worst of its findings is; as usual where none is listed. */
    private Severity worst(FindingCode code) {
        return report.findings().stream().filter(finding -> finding.code() == code).map(Finding::severity)
                .min(Comparator.naturalOrder()).orElse(code.severity());
    }

    private static Status tone(Severity severity) {
        return switch (severity) {
            case ERROR -> Status.BAD;
            case WARNING -> Status.OPEN;
            case INFO -> Status.PLAIN;
        };
    }

    private Html statistics() {
        DataStatistics data = report.statistics();
        List<Html> parts = new ArrayList<>();
        parts.add(tag("div", tag("h3", "Length in " + data.unit()),
                HistogramPlot.of("Histogram of lengths", data.bins(), data.binWidth()),
                Blocks.note(data.lengths().entrySet().stream().map(e -> String.format(Locale.ROOT, "%s %,.0f",
                        e.getKey(), e.getValue())).collect(Collectors.joining(", ")))));
        if (data.tokens() > 0) {
            parts.add(tag("div", tag("h3", "Tokens"), tag("p", String.format(Locale.ROOT, "%,d in all, %,d of them "
                    + "learned (%.1f %%)", data.tokens(), data.supervisedTokens(), 100 * data.supervisedShare()))));
        }
        bars("Who speaks", data.roles(), parts);
        bars("Messages an example", data.turns(), parts);
        bars("Classes", data.labels(), parts);
        bars("Words of questions", data.topics(), parts);
        return Blocks.card("What the data looks like", Blocks.sides(parts));
    }

    private static void bars(String title, Map<?, Long> counts, List<Html> parts) {
        if (!counts.isEmpty()) {
            BarPlot plot = BarPlot.titled(title);
            counts.entrySet().stream().limit(MOST_BARS).forEach(e -> plot.bar(e.getKey().toString(), e.getValue()));
            parts.add(tag("div", tag("h3", title), plot.html()));
        }
    }

    private Html previews() {
        Html card = Blocks.card("What the model sees", Blocks.note("Marked tokens are learned."));
        for (DataStatistics.Preview preview : report.statistics().previews()) {
            card.add(Blocks.note("line ", preview.line()), tag("pre", preview.pieces().stream()
                    .map(piece -> piece.learned() ? tag("mark", piece.text()) : Html.all(piece.text())).toList()));
        }
        return card;
    }

    private Html findings(FindingCode code, List<Finding> list) {
        long count = report.counts().get(code);
        int open = Math.min(list.size(), UNFOLDED_ROWS);
        Html shown = Html.all(Blocks.note(tag("strong", "What to do: "), code.advice()), table(list.subList(0, open)));
        if (open < list.size()) {
            shown.add(tag("details", tag("summary", number(list.size() - open) + " more"),
                    table(list.subList(open, list.size()))));
        }
        if (count > report.findings().stream().filter(finding -> finding.code() == code).count()) {
            shown.add(Blocks.note("Not all of the " + Count.of(count, "finding") + " are listed."));
        }
        Html details = tag("details", tag("summary", Count.of(count, "finding")), shown);
        return Blocks.card(code.code(), worst(code) == Severity.INFO ? details : details.with("open", "open"));
    }

    private Html table(List<Finding> list) {
        boolean files = report.files().size() > 1;
        Table table = files ? Table.of("severity", "file", "lines", "what").texts(1, 3)
                : Table.of("severity", "lines", "what").texts(2);
        for (Finding finding : list) {
            List<Object> row = new ArrayList<>(List.of(Blocks.toned(tone(finding.severity()),
                    finding.severity().code()), lines(finding), what(finding)));
            if (files) {
                row.add(1, finding.file());
            }
            table.row(row.toArray());
        }
        return table.html();
    }

    private static String lines(Finding finding) {
        String lines = finding.where(MOST_LINES).replace(",", ", ");
        return finding.lines().size() > MOST_LINES ? lines + " and " + number(finding.lines().size() - MOST_LINES)
                + " more" : lines;
    }

    /** The message and, below it, the content of the rows. */
    private static Html what(Finding finding) {
        Html what = Html.all(finding.message());
        for (int i = 0; i < finding.texts().size(); i++) {
            String line = finding.lines().size() > 1 ? "line " + finding.lines().get(i) + "\n" : "";
            if (!finding.texts().get(i).isEmpty()) {
                what.add(tag("div", line + finding.texts().get(i)).css("row"));
            }
        }
        return what;
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }
}
