package io.peft4j.data.format;

import io.peft4j.data.example.Example;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How an example looks as an object with keys. */
interface RowFormat {
    /** Whether a row looks like this. */
    boolean recognizes(Map<String, Object> fields);

    /** The example of a row; empty when the row has a fatal fault then. */
    Optional<Example> read(DataRow row);

    /** The row of an example; empty where this format cannot hold it. */
    Optional<Map<String, Object>> write(Example example);

    /**
     * A row with the further fields of its example; empty where one of them has a name that the format keeps for
     * something else, which would be lost or misread.
     */
    static Optional<Map<String, Object>> with(Map<String, Object> row, Map<String, Object> extra, String... reserved) {
        if (extra.keySet().stream().anyMatch(key -> row.containsKey(key) || List.of(reserved).contains(key))) {
            return Optional.empty();
        }
        row.putAll(extra);
        return Optional.of(row);
    }
}
