package io.peft4j.data.format;

import io.peft4j.data.example.Example;
import io.peft4j.data.example.TextExample;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Plain text.
 *
 * @param whole whether all that stands in a row is its text, which is written as it was read
 */
record TextFormat(boolean whole) implements RowFormat {
    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey("text") && !whole;
    }

    @Override
    public Optional<Example> read(DataRow row) {
        return whole ? Optional.of(new TextExample(told(row.fields().values()), row.fields(), row.origin()))
                : row.text("text", false)
                        .map(text -> new TextExample(text, row.extra("text"), row.origin()));
    }

    private static String told(Object value) {
        return value instanceof Map<?, ?> map ? told(map.values()) : value instanceof Collection<?> list
                ? list.stream().map(TextFormat::told).collect(Collectors.joining(" ")) : String.valueOf(value);
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        if (!(example instanceof TextExample text)) {
            return Optional.empty();
        }
        Map<String, Object> row = new LinkedHashMap<>();
        if (!whole) {
            row.put("text", text.text());
        }
        row.putAll(text.extra());
        return Optional.of(row);
    }
}
