package io.peft4j.data.report;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Identifiers that stand in several rows of a file. */
final class RepeatedIds implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final Set<String> NAMES = Set.of("id", "uuid", "_id");
    private static final int WITH_TEXTS = 200;
    private static final int MOST_TEXTS = 3;
    private static final int LISTED = 10;

    /** The line of the first row with an identifier. */
    private final LinkedHashMap<String, Long> first = new LinkedHashMap<>();
    private final LinkedHashMap<String, Repeated> repeated = new LinkedHashMap<>();

    /** The rows of an identifier; the content of the first one is not known any more. */
    private record Repeated(ArrayList<Long> lines, ArrayList<String> texts) implements Serializable {
    }

    /** The identifier of a row's fields, where it has one. */
    static Optional<String> of(Map<String, Object> fields) {
        return fields.entrySet().stream().filter(field -> NAMES.contains(field.getKey().toLowerCase(Locale.ROOT)))
                .map(Map.Entry::getValue).filter(value -> value instanceof String text && !text.isBlank()
                        || value instanceof Number)
                .map(Object::toString).findFirst();
    }

    /** Takes a row that has one. */
    void add(String id, long line, Supplier<List<String>> texts) {
        Long before = first.putIfAbsent(id, line);
        if (before != null) {
            Repeated rows = repeated.computeIfAbsent(id, i -> new Repeated(new ArrayList<>(List.of(before)),
                    new ArrayList<>(List.of(""))));
            rows.lines().add(line);
            if (rows.texts().size() < MOST_TEXTS && repeated.size() <= WITH_TEXTS) {
                rows.texts().add(String.join("\n", texts.get()));
            }
        }
    }

    /** Takes the rows that follow. */
    void append(RepeatedIds next) {
        next.first.forEach((id, line) -> add(id, line, List::of));
        next.repeated.forEach((id, rows) -> {
            for (int i = 1; i < rows.lines().size(); i++) {
                List<String> texts = i < rows.texts().size() ? List.of(rows.texts().get(i)) : List.of();
                add(id, rows.lines().get(i), () -> texts);
            }
        });
    }

    /** Reports those of a file. */
    void report(String file, FindingList findings, Excerpts excerpts) {
        repeated.forEach((id, rows) -> findings.add(FindingList.finding(FindingCode.DUPLICATE_ID, file, rows.lines(),
                "the id '" + excerpts.redacted(id) + "' is in lines " + rows.lines().stream().limit(LISTED)
                        .map(String::valueOf).collect(Collectors.joining(", "))
                        + (rows.lines().size() > LISTED ? " and "
                                + (rows.lines().size() - LISTED) + " others" : "")),
                rows::texts));
    }
}
