package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.internal.Place;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the rows of files are, whatever type the file is of: objects as JSON has them. {@link RowSource} reads them. */
public final class JsonLines {
    private JsonLines() {
    }

    /**
     * A row.
     *
     * @param file the file that it stands in
     * @param line its line, from 1
     * @param fields the object; belongs to the receiver, who may change it
     */
    public record Row(Path file, long line, Map<String, Object> fields) {
        /** An exception that names the row's place. */
        public DataException wrong(String message) {
            return new DataException(file, line, message + Place.of(fields).map(place -> " (" + place + ")")
                    .orElse(""));
        }

        /**
         * An exception for a row without the keys that are needed: it lists those that the row has, and says which
         * {@code --column} would make them fit.
         *
         * @param problem what is wrong, such as {@code has none of [prompt, question]}
         * @param forms the keys that each of the possible forms needs
         */
        public DataException lacks(String problem, List<List<String>> forms) {
            return wrong(problem + advice(forms));
        }

        /** The same for one key, which several forms may have. */
        public DataException missing(String key) {
            return lacks("\"" + key + "\" is missing", ColumnNames.formsWith(key));
        }

        /** What to say of the keys of a row that lacks others. */
        String advice(List<List<String>> forms) {
            return ", only " + String.join(", ", fields.keySet()) + ColumnNames.advice(fields.keySet(), forms)
                    .map(names -> "; columns can be renamed: " + names)
                    .orElse("; columns can be renamed: COLUMN=" + forms.get(0).get(0));
        }
    }

    /** The characters of all texts in a value as JSON has it, keys among them. */
    public static long characters(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream().mapToLong(entry -> characters(entry.getKey()) + characters(entry.getValue()))
                    .sum();
        }
        return value instanceof List<?> list ? list.stream().mapToLong(JsonLines::characters).sum()
                : value instanceof String text ? text.length() : 1;
    }

    /** A changeable copy of a JSON object. */
    public static Map<String, Object> object(Map<?, ?> map) {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> copy.put((String) key, value));
        return copy;
    }

    /** The keys of a row that are among {@code known}, in the order of {@code known}. */
    public static List<String> present(Row row, List<String> known) {
        return known.stream().filter(row.fields()::containsKey).toList();
    }
}
