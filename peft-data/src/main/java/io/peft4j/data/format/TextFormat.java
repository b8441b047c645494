package io.peft4j.data.format;

import io.peft4j.data.example.Example;
import io.peft4j.data.example.TextExample;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Plain text. */
final class TextFormat implements RowFormat {
    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey("text");
    }

    @Override
    public Optional<Example> read(JsonLines.Row row, MessageReader reader, Faults faults) {
        return Rows.text(row, "text", false, faults)
                .map(text -> new TextExample(text, Rows.extra(row, "text"), Rows.origin(row)));
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        if (!(example instanceof TextExample text)) {
            return Optional.empty();
        }
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("text", text.text());
        row.putAll(text.extra());
        return Optional.of(row);
    }
}
