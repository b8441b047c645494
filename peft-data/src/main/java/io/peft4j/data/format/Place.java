package io.peft4j.data.format;

import io.peft4j.core.Internal;
import java.util.Map;
import java.util.Optional;

/** Where a row of a document is, as its fields say it: a page, or a sheet with a row. */
@Internal
public final class Place {
    private Place() {
    }

    /** Such as {@code page 3} or {@code sheet Pay, row 4}; empty where the fields name neither. */
    public static Optional<String> of(Map<String, Object> fields) {
        if (fields.get("page") instanceof Integer page) {
            return Optional.of("page " + page);
        }
        return fields.get("sheet") instanceof String sheet && !sheet.isBlank() ? Optional.of("sheet " + sheet
                + (fields.get("row") instanceof Integer row ? ", row " + row : "")) : Optional.empty();
    }
}
