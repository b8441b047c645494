package io.peft4j.data.format;

import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A text and its class; a class that is a number is read as its digits. */
final class ClassificationFormat implements RowFormat {
    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey("text") && fields.containsKey("label");
    }

    @Override
    public Optional<Example> read(DataRow row) {
        if (row.fields().get("label") instanceof Number || row.fields().get("label") instanceof Boolean) {
            row.fields().put("label", row.fields().get("label").toString());
        }
        Optional<String> text = row.text("text", false);
        Optional<String> label = row.text("label", false);
        return text.isEmpty() || label.isEmpty() ? Optional.empty() : Optional.of(new ClassificationExample(text.get(),
                label.get(), row.extra("text", "label"), row.origin()));
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        if (!(example instanceof ClassificationExample row)) {
            return Optional.empty();
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("text", row.text());
        fields.put("label", row.label());
        fields.putAll(row.extra());
        return Optional.of(fields);
    }
}
