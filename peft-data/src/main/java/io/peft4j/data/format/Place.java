package io.peft4j.data.format;

import io.peft4j.core.Internal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where a row of a document is, as its fields say it: a page, a paragraph, or a sheet with a row. */
@Internal
public final class Place {
    /** What documents without lines have in place of them. */
    private static final List<String> PARTS = List.of("page", "paragraph");

    private Place() {
    }

    /** The fields of a row for a part of it, which begins at a line, or what the document has in place of lines. */
    public static Map<String, Object> at(Map<String, Object> fields, long line) {
        Map<String, Object> others = new LinkedHashMap<>(fields);
        PARTS.forEach(part -> others.computeIfPresent(part, (name, begun) -> begun instanceof Integer ? (int) line
                : begun));
        return others;
    }

    /** Such as {@code page 3} or {@code sheet Pay, row 4}; empty where the fields name none. */
    public static Optional<String> of(Map<String, Object> fields) {
        for (String part : PARTS) {
            if (fields.get(part) instanceof Integer number) {
                return Optional.of(part + " " + number);
            }
        }
        return fields.get("sheet") instanceof String sheet && !sheet.isBlank() ? Optional.of("sheet " + sheet
                + (fields.get("row") instanceof Integer row ? ", row " + row : "")) : Optional.empty();
    }
}
