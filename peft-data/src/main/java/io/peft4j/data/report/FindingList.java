package io.peft4j.data.report;

import io.peft4j.data.report.FindingCode.Severity;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Findings, counted without limit, listed up to a limit for each code and severity, the first with texts. */
final class FindingList implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final int WITH_TEXTS = 200;

    private final int most;
    private final ArrayList<Finding> listed = new ArrayList<>();
    private final EnumMap<Severity, EnumMap<FindingCode, Long>> bySeverity = new EnumMap<>(Severity.class);
    private final EnumMap<FindingCode, Long> counts = new EnumMap<>(FindingCode.class);
    private final EnumMap<FindingCode, Long> rows = new EnumMap<>(FindingCode.class);

    FindingList(int most) {
        this.most = most;
    }

    static Finding finding(FindingCode code, String file, List<Long> lines, String message) {
        return finding(code, code.severity(), file, lines, message);
    }

    static Finding finding(FindingCode code, Severity severity, String file, List<Long> lines, String message) {
        return new Finding(code, severity, file, lines, message, List.of(), List.of());
    }

    /** Adds a finding of a file as a whole. */
    void add(Finding finding) {
        add(finding, List::of);
    }

    /** Adds a finding of some lines; their content is computed only if it is shown. */
    void add(Finding finding, Supplier<List<String>> texts) {
        long count = bySeverity.computeIfAbsent(finding.severity(), s -> new EnumMap<>(FindingCode.class))
                .merge(finding.code(), 1L, Long::sum);
        counts.merge(finding.code(), 1L, Long::sum);
        rows.merge(finding.code(), (long) finding.lines().size(), Long::sum);
        if (count <= most) {
            listed.add(count <= WITH_TEXTS ? with(finding, texts.get()) : finding);
        }
    }

    private static Finding with(Finding finding, List<String> texts) {
        return new Finding(finding.code(), finding.severity(), finding.file(), finding.lines(), finding.message(),
                finding.places(), texts);
    }

    /** Adds what another list has: of each code and severity only as many are listed as there is room for. */
    void append(FindingList next) {
        Map<Severity, Map<FindingCode, Long>> room = new EnumMap<>(Severity.class);
        for (Finding finding : next.listed) {
            long before = bySeverity.getOrDefault(finding.severity(), new EnumMap<>(FindingCode.class))
                    .getOrDefault(finding.code(), 0L);
            long count = room.computeIfAbsent(finding.severity(), s -> new EnumMap<>(FindingCode.class))
                    .merge(finding.code(), 1L, Long::sum);
            if (before + count <= most) {
                listed.add(before + count <= WITH_TEXTS ? finding : with(finding, List.of()));
            }
        }
        next.bySeverity.forEach((severity, codes) -> codes.forEach((code, count) -> bySeverity
                .computeIfAbsent(severity, s -> new EnumMap<>(FindingCode.class)).merge(code, count, Long::sum)));
        next.counts.forEach((code, count) -> counts.merge(code, count, Long::sum));
        next.rows.forEach((code, count) -> rows.merge(code, count, Long::sum));
    }

    /** Those that are listed: errors first, then in the order of the lines. */
    List<Finding> sorted() {
        return listed.stream().sorted(Comparator.comparing(Finding::severity)
                .thenComparingLong(f -> f.lines().isEmpty() ? 0 : f.lines().get(0))).toList();
    }

    /** The number of errors, those not listed included. */
    long errors() {
        return bySeverity.getOrDefault(Severity.ERROR, new EnumMap<>(FindingCode.class)).values().stream()
                .mapToLong(Long::longValue).sum();
    }

    Map<FindingCode, Long> counts() {
        return counts;
    }

    Map<FindingCode, Long> rows() {
        return rows;
    }
}
