package io.peft4j.data.format;

import io.peft4j.core.Internal;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a CSV or TSV file is laid out, so that another one can be written like it.
 *
 * @param separator what separates cells
 * @param named whether a first line {@code sep=;} says so
 * @param marked whether it begins with a byte order mark, by which Excel knows UTF-8
 * @param columns the names of its columns, in their order
 * @param names what its rows are given for these names; those that are not there keep theirs
 */
@Internal
public record TableLayout(char separator, boolean named, boolean marked, List<String> columns,
        Map<String, String> names) {
    /** Copies list and map. */
    public TableLayout {
        columns = List.copyOf(columns);
        names = Collections.unmodifiableMap(new LinkedHashMap<>(names));
    }

    TableLayout withNames(Map<String, String> newNames) {
        return new TableLayout(separator, named, marked, columns, newNames);
    }

    /** This layout with commas or tabs where the name of a file asks for them and not for the other. */
    TableLayout at(boolean tabs) {
        return tabs == (separator == '\t') ? this
                : new TableLayout(tabs ? '\t' : ',', false, marked, columns, names);
    }

    /**
     * The row of an example that was changed: that of the file, with what was changed in it.
     *
     * @param row the row as it was read
     * @param before what its format makes of the example as it was read
     * @param after what its format makes of the example now
     */
    static Map<String, Object> changed(Map<String, Object> row, Map<String, Object> before,
            Map<String, Object> after) {
        Map<String, Object> changed = new LinkedHashMap<>();
        row.forEach((key, value) -> {
            // A format has several names for a question, and writes one of them.
            Optional<String> name = after.containsKey(key) ? Optional.of(key) : before.keySet().stream()
                    .filter(other -> !row.containsKey(other) && before.get(other).equals(value)).findFirst();
            changed.put(key, name.map(after::get).orElse(value));
        });
        return changed;
    }
}
