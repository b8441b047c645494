package io.peft4j.data.clean;

import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.TextExample;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives labels the spaces and the case that most rows have.
 *
 * @param meant labels by their other spellings
 */
record LabelSpelling(Map<String, String> meant) implements CleaningStep {
    static final String NAME = "labels";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Optional<Example> apply(Example example) {
        if (example instanceof ClassificationExample row) {
            return Optional.of(new ClassificationExample(row.text(), (String) mended(row.label()), row.extra(),
                    row.origin()));
        }
        if (!(example instanceof TextExample row)) {
            return Optional.of(example);
        }
        Map<String, Object> fields = new LinkedHashMap<>(row.extra());
        List.of("label", "labels", "label_probabilities").forEach(key -> fields.computeIfPresent(key,
                (k, value) -> mended(value)));
        return Optional.of(new TextExample(row.text(), fields, row.origin()));
    }

    private Object mended(Object value) {
        if (value instanceof Map<?, ?> probabilities) {
            Map<Object, Object> named = new LinkedHashMap<>();
            probabilities.forEach((label, p) -> named.put(mended(label), p));
            return named;
        }
        return value instanceof List<?> list ? list.stream().map(this::mended).toList()
                : meant.containsKey(value) ? meant.get(value) : value;
    }
}
