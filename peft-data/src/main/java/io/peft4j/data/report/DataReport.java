package io.peft4j.data.report;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.report.DataReport.DataStatistics;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What was found in a data set.
 *
 * @param rows rows in all files, wrong ones included
 * @param files rows of each file
 * @param findings what was found, errors first; of each code and severity only so many as were asked for
 * @param errors how many errors there are, those not listed included
 * @param counts how many findings there are of each code, those not listed included
 * @param findingRows how many rows they are about
 * @param statistics what the data looks like
 */
public record DataReport(long rows, Map<String, Long> files, List<Finding> findings, long errors,
        Map<FindingCode, Long> counts, Map<FindingCode, Long> findingRows, DataStatistics statistics) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FOLDED_TEXTS = 3;

    /** Copies the list and the maps. */
    public DataReport {
        files = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(files));
        findings = List.copyOf(findings);
        counts = Map.copyOf(counts);
        findingRows = Map.copyOf(findingRows);
    }

    /** Whether there is an error: training on the data would fail, or teach or measure nothing. */
    public boolean hasErrors() {
        return errors > 0;
    }

    /**
     * The findings, those of one file that say the same in one, as people read them: with the lines of all and the
     * texts of the first.
     */
    public List<Finding> folded() {
        Map<List<Object>, List<Finding>> same = new LinkedHashMap<>();
        findings.forEach(finding -> same.computeIfAbsent(List.of(finding.code(), finding.severity(), finding.file(),
                finding.message()), key -> new ArrayList<>()).add(finding));
        return same.values().stream().map(DataReport::folded).toList();
    }

    private static Finding folded(List<Finding> same) {
        Finding first = same.get(0);
        if (same.size() == 1) {
            return first;
        }
        Map<Long, String> lines = new LinkedHashMap<>();
        for (Finding finding : same) {
            for (int i = 0; i < finding.lines().size(); i++) {
                lines.putIfAbsent(finding.lines().get(i), i < finding.places().size() ? finding.places().get(i) : "");
            }
        }
        boolean places = lines.values().stream().anyMatch(place -> !place.isEmpty());
        return new Finding(first.code(), first.severity(), first.file(), List.copyOf(lines.keySet()), first.message(),
                places ? List.copyOf(lines.values()) : List.of(), same.stream().flatMap(finding -> finding.texts()
                        .stream()).limit(FOLDED_TEXTS).toList());
    }

    /**
     * The report for machines: {@code {"rows": n, "findings": [{"code", "severity", "file", "lines", "places",
     * "message", "why", "advice"}], "errors": n, "files": {...}, "counts": {code: {"findings", "rows"}},
     * "statistics": {...}}}.
     */
    public ObjectNode toJson() {
        ObjectNode json = JSON.createObjectNode();
        json.put("rows", rows);
        ArrayNode list = json.putArray("findings");
        for (Finding finding : findings) {
            ObjectNode node = list.addObject();
            node.put("code", finding.code().code());
            node.put("severity", finding.severity().code());
            node.put("file", finding.file());
            ArrayNode lines = node.putArray("lines");
            finding.lines().forEach(lines::add);
            if (!finding.places().isEmpty()) {
                node.set("places", JSON.valueToTree(finding.places()));
            }
            node.put("message", finding.message());
            node.put("why", finding.code().why());
            node.put("advice", finding.code().advice());
        }
        json.put("errors", errors);
        json.set("files", JSON.valueToTree(files));
        ObjectNode numbers = json.putObject("counts");
        Arrays.stream(FindingCode.values()).filter(counts::containsKey).forEach(code -> numbers.putObject(code.code())
                .put("findings", counts.get(code)).put("rows", findingRows.get(code)));
        json.set("statistics", JSON.valueToTree(statistics));
        return json;
    }

    /**
     * Writes the report as one HTML page that needs nothing else: light or dark as the reader's screen is.
     *
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public void writeHtml(Path file) {
        AtomicFiles.writeString(file, new ReportPage(this).html());
    }

    /**
     * Writes the report as JSON.
     *
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public void writeJson(Path file) {
        AtomicFiles.writeString(file, toJson().toPrettyString() + "\n");
    }

    @Override
    public String toString() {
        return rows + " rows, " + errors + " errors, findings: " + counts.entrySet().stream()
                .map(entry -> entry.getKey().code() + " " + entry.getValue()).sorted().toList();
    }

    /**
     * What a data set looks like.
     *
     * @param format the format of the first file
     * @param roles how often each role speaks
     * @param turns number of examples by their number of messages
     * @param labels how often each class occurs, the most frequent first; empty where there are none
     * @param topics the most frequent words of topic in questions, with the number of examples
     * @param unit what lengths are counted in: {@code tokens} of the model, or {@code words}
     * @param lengths quantiles of the examples' lengths: min, median, mean, p90, p99, max
     * @param binWidth the width of a bin of the histogram
     * @param bins number of examples in each bin
     * @param tokens tokens in all, 0 without a model
     * @param supervisedTokens supervised tokens in all
     * @param previews some examples as the model sees them
     */
    public record DataStatistics(String format, Map<String, Long> roles, Map<Integer, Long> turns,
            Map<String, Long> labels, Map<String, Long> topics, String unit, Map<String, Double> lengths, int binWidth,
            List<Integer> bins, long tokens, long supervisedTokens, List<Preview> previews) {
        /**
         * An example as the model sees it.
         *
         * @param line its line
         * @param pieces the rendered text in pieces that are learned or not
         */
        public record Preview(long line, List<ChatEncoder.Piece> pieces) implements Serializable {
            /** Copies the list. */
            public Preview {
                pieces = List.copyOf(pieces);
            }

            /** The rendered text, what is learned between {@code [[} and {@code ]]}. */
            @JsonProperty
            public String text() {
                return pieces.stream().map(piece -> piece.learned() ? "[[" + piece.text() + "]]" : piece.text())
                        .collect(Collectors.joining());
            }
        }

        /** The share of the tokens that are learned, 0 without a model. */
        public double supervisedShare() {
            return tokens == 0 ? 0 : (double) supervisedTokens / tokens;
        }
    }
}
