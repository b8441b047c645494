package io.peft4j.data.report;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A report as one HTML page: styles and plots stand in it, nothing is loaded. */
final class ReportPage {
    private static final int MOST_ROWS = 200;
    private static final int MOST_LINES = 12;
    private static final String STYLE = """
            :root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#5b6570;--line:#d9dee4;--bar:#3b6fb6;
            --error:#b3261e;--warning:#9a6700;--info:#3b6fb6;--learned:#d5ecd4}
            @media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e6e9ec;--soft:#9aa4ae;--line:#333a41;
            --bar:#7aa7e8;--error:#ff8a80;--warning:#e3b341;--info:#7aa7e8;--learned:#1f4a2b}}
            body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;max-width:70rem;
            margin:2rem auto;padding:0 1rem}
            h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
            table{border-collapse:collapse;width:100%}
            th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
            table.list{table-layout:fixed}.list th:nth-child(1){width:5.5rem}.list th:nth-child(2){width:18%}
            .list th:nth-child(3){width:12%}.list td{overflow-wrap:anywhere}
            td.n{text-align:right;font-variant-numeric:tabular-nums}
            .soft{color:var(--soft)}.error{color:var(--error)}.warning{color:var(--warning)}.info{color:var(--info)}
            pre{white-space:pre-wrap;border:1px solid var(--line);padding:.7rem;overflow-wrap:anywhere}
            mark{background:var(--learned);color:inherit}
            svg{max-width:100%;height:auto}svg text{fill:var(--soft);font-size:11px}svg rect{fill:var(--bar)}
            .grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1.5rem}
            details summary{cursor:pointer}
            """;

    private final DataReport report;
    private final StringBuilder page = new StringBuilder();

    ReportPage(DataReport report) {
        this.report = report;
    }

    String html() {
        page.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                + "content=\"width=device-width\"><title>Data report</title><style>").append(STYLE)
                .append("</style></head><body>\n<h1>Data report</h1>\n");
        head();
        overview();
        statistics();
        previews();
        findings();
        return page.append("</body></html>\n").toString();
    }

    private void head() {
        String files = report.files().entrySet().stream().map(e -> text(e.getKey()) + " (" + number(e.getValue())
                + " rows)").collect(Collectors.joining(", "));
        long errors = report.errors();
        page.append("<p>").append(files).append("</p>\n<p>").append(errors == 0
                ? "No errors." : "<strong class=\"error\">" + counted(errors, "error") + ": a training on these "
                + "files would fail, or teach or measure nothing.</strong>").append("</p>\n");
    }

    private void overview() {
        page.append("<h2>What was found</h2>\n");
        if (report.counts().isEmpty()) {
            page.append("<p>Nothing.</p>\n");
            return;
        }
        page.append("<table><tr><th>what</th><th>findings</th><th>rows</th><th>why it matters</th><th>what to do</th>"
                + "</tr>\n");
        for (FindingCode code : FindingCode.values()) {
            if (report.counts().containsKey(code)) {
                page.append("<tr><td class=\"").append(code.severity().code()).append("\">").append(code.code())
                        .append("</td><td class=\"n\">").append(number(report.counts().get(code)))
                        .append("</td><td class=\"n\">").append(number(report.findingRows().get(code)))
                        .append("</td><td>").append(text(code.why())).append("</td><td>").append(text(code.advice()))
                        .append("</td></tr>\n");
            }
        }
        page.append("</table>\n");
    }

    private void statistics() {
        DataStatistics data = report.statistics();
        page.append("<h2>What the data looks like</h2>\n<div class=\"grid\">\n<div><h3>Length in ").append(data.unit())
                .append("</h3>\n").append(histogram(data.bins(), data.binWidth())).append("<p class=\"soft\">")
                .append(data.lengths().entrySet().stream().map(e -> String.format(Locale.ROOT, "%s %,.0f", e.getKey(),
                        e.getValue())).collect(Collectors.joining(", "))).append("</p></div>\n");
        if (data.tokens() > 0) {
            page.append(String.format(Locale.ROOT, "<div><h3>Tokens</h3><p>%,d in all, %,d of them learned (%.1f %%)"
                    + "</p></div>%n", data.tokens(), data.supervisedTokens(), 100 * data.supervisedShare()));
        }
        bars("Who speaks", data.roles());
        bars("Messages an example", data.turns());
        bars("Classes", data.labels());
        bars("Words of questions", data.topics());
        page.append("</div>\n");
    }

    private void bars(String title, Map<?, Long> counts) {
        if (counts.isEmpty()) {
            return;
        }
        long most = counts.values().stream().mapToLong(Long::longValue).max().orElse(1);
        List<? extends Map.Entry<?, Long>> shown = counts.entrySet().stream().limit(20).toList();
        page.append("<div><h3>").append(title).append("</h3><svg viewBox=\"0 0 420 ").append(20 * shown.size() + 4)
                .append("\" width=\"420\" role=\"img\" aria-label=\"").append(title).append("\">");
        int y = 0;
        for (Map.Entry<?, Long> entry : shown) {
            page.append(String.format(Locale.ROOT, "<text x=\"0\" y=\"%d\">%s</text><rect x=\"130\" y=\"%d\" "
                    + "width=\"%.1f\" height=\"14\"/><text x=\"%.1f\" y=\"%d\">%,d</text>", y + 13,
                    text(shortened(entry.getKey().toString())), y + 2, 210.0 * entry.getValue() / most,
                    136 + 210.0 * entry.getValue() / most, y + 13, entry.getValue()));
            y += 20;
        }
        page.append("</svg></div>\n");
    }

    private static String shortened(String text) {
        return text.length() <= 20 ? text : text.substring(0, text.offsetByCodePoints(0, 17)) + "...";
    }

    private static String histogram(List<Integer> bins, int width) {
        int most = Math.max(1, bins.stream().mapToInt(Integer::intValue).max().orElse(1));
        StringBuilder svg = new StringBuilder("<svg viewBox=\"0 0 420 140\" width=\"420\" role=\"img\" "
                + "aria-label=\"Histogram of lengths\">");
        double step = 420.0 / bins.size();
        for (int i = 0; i < bins.size(); i++) {
            double height = 115.0 * bins.get(i) / most;
            svg.append(String.format(Locale.ROOT, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>"
                    + "%d to %d: %d</title></rect>", i * step, 118 - height, step - 1, height, i * width,
                    (i + 1) * width - 1, bins.get(i)));
        }
        return svg.append(String.format(Locale.ROOT, "<text x=\"0\" y=\"134\">0</text><text x=\"420\" y=\"134\" "
                + "text-anchor=\"end\">%,d and more</text></svg>", (bins.size() - 1) * width)).toString();
    }

    private void previews() {
        if (report.statistics().previews().isEmpty()) {
            return;
        }
        page.append("<h2>What the model sees</h2>\n<p class=\"soft\">Learned is what is marked.</p>\n");
        for (DataStatistics.Preview preview : report.statistics().previews()) {
            page.append("<p class=\"soft\">line ").append(preview.line()).append("</p><pre>")
                    .append(preview.pieces().stream().map(piece -> piece.learned() ? "<mark>" + text(piece.text())
                            + "</mark>" : text(piece.text())).collect(Collectors.joining())).append("</pre>\n");
        }
    }

    private void findings() {
        for (FindingCode code : FindingCode.values()) {
            List<Finding> list = report.findings().stream().filter(f -> f.code() == code).limit(MOST_ROWS).toList();
            if (list.isEmpty()) {
                continue;
            }
            long count = report.counts().get(code);
            page.append("<h2>").append(code.code()).append("</h2>\n<details").append(
                    code.severity() == Severity.INFO ? "" : " open").append("><summary class=\"soft\">")
                    .append(counted(count, "finding")).append(count > list.size()
                    ? ", the first " + list.size() + " of which are listed" : "")
                    .append("</summary>\n<table class=\"list\"><tr><th>severity</th><th>file</th><th>lines</th>"
                    + "<th>message</th></tr>\n");
            list.forEach(this::row);
            page.append("</table></details>\n");
        }
    }

    private void row(Finding finding) {
        String lines = finding.lines().stream().limit(MOST_LINES).map(String::valueOf)
                .collect(Collectors.joining(", "));
        page.append("<tr><td class=\"").append(finding.severity().code()).append("\">")
                .append(finding.severity().code()).append("</td><td>").append(text(finding.file())).append("</td><td>")
                .append(lines).append(finding.lines().size() > MOST_LINES ? ", ..." : "").append("</td><td>")
                .append(text(finding.message())).append("</td></tr>\n");
    }

    private static String counted(long count, String what) {
        return number(count) + " " + what + (count == 1 ? "" : "s");
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    /** Text of the data is data: nothing in it is markup. */
    private static String text(String text) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                default -> escaped.appendCodePoint(c < 0x20 && c != '\n' && c != '\t' ? 0xFFFD : c);
            }
        });
        return escaped.toString();
    }
}
