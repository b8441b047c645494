package io.peft4j.data.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Findings, counted without limit, listed up to a limit for each code and severity, the first with texts. */
final class FindingList {
    private static final int WITH_TEXTS = 200;

    private final int most;
    private final List<Finding> listed = new ArrayList<>();
    private final Map<Severity, Map<FindingCode, Long>> bySeverity = new EnumMap<>(Severity.class);
    private final Map<FindingCode, Long> counts = new EnumMap<>(FindingCode.class);
    private final Map<FindingCode, Long> rows = new EnumMap<>(FindingCode.class);

    FindingList(int most) {
        this.most = most;
    }

    /** Adds a finding of a file as a whole. */
    void add(Finding finding) {
        add(finding, List::of);
    }

    /** Adds a finding of some lines; what stands there is asked for only where it is shown. */
    void add(Finding finding, Supplier<List<String>> texts) {
        long count = bySeverity.computeIfAbsent(finding.severity(), s -> new EnumMap<>(FindingCode.class))
                .merge(finding.code(), 1L, Long::sum);
        counts.merge(finding.code(), 1L, Long::sum);
        rows.merge(finding.code(), (long) finding.lines().size(), Long::sum);
        if (count <= most) {
            listed.add(count <= WITH_TEXTS ? finding.with(texts.get()) : finding);
        }
    }

    /** Those that are listed: errors first, then in the order of the lines. */
    List<Finding> sorted() {
        return listed.stream().sorted(Comparator.comparing(Finding::severity)
                .thenComparingLong(f -> f.lines().isEmpty() ? 0 : f.lines().get(0))).toList();
    }

    /** The number of errors, those not listed included. */
    long errors() {
        return bySeverity.getOrDefault(Severity.ERROR, Map.of()).values().stream().mapToLong(Long::longValue).sum();
    }

    Map<FindingCode, Long> counts() {
        return counts;
    }

    Map<FindingCode, Long> rows() {
        return rows;
    }
}
