package io.peft4j.data.clean;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.Internal;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * The texts in JSON-like fields: of a row beside its conversation, and of a message beside its content, such as the
 * arguments of a call. Keys and numbers are none.
 */
@Internal
public final class FieldTexts {
    private static final ObjectMapper JSON = new ObjectMapper();

    private FieldTexts() {
    }

    /** Tells of each text in a value. */
    public static void visit(Object value, Consumer<String> action) {
        if (value instanceof String text) {
            action.accept(text);
        } else if (value instanceof Collection<?> list) {
            list.forEach(item -> visit(item, action));
        } else if (value instanceof Map<?, ?> map) {
            map.values().forEach(item -> visit(item, action));
        }
    }

    /**
     * Fields with each of their texts changed. A text that is a JSON object or list, as the arguments of a call are,
     * stays one: its own texts are changed, and a number in it becomes a text where it is changed.
     */
    public static Map<String, Object> map(Map<String, Object> fields, UnaryOperator<String> change) {
        Map<String, Object> changed = new LinkedHashMap<>();
        fields.forEach((key, value) -> changed.put(key, changed(value, change)));
        return changed;
    }

    private static Object changed(Object value, UnaryOperator<String> change) {
        if (value instanceof String text) {
            return text.startsWith("{") || text.startsWith("[") ? changedJson(text, change) : change.apply(text);
        }
        return inside(value, item -> changed(item, change));
    }

    /** The same of what a list or an object holds; null is a value of JSON. */
    private static Object inside(Object value, UnaryOperator<Object> change) {
        if (value instanceof List<?> list) {
            return list.stream().map(change).toList();
        }
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> changed = new LinkedHashMap<>();
            map.forEach((key, item) -> changed.put(key, change.apply(item)));
            return changed;
        }
        return value;
    }

    private static String changedJson(String text, UnaryOperator<String> change) {
        if (change.apply(text).equals(text)) {
            return text;
        }
        try {
            return JSON.writeValueAsString(changedInJson(JSON.readValue(text, Object.class), change));
        } catch (JsonProcessingException e) {
            // It only begins like JSON.
            return change.apply(text);
        }
    }

    private static Object changedInJson(Object value, UnaryOperator<String> change) {
        if (value instanceof String text) {
            return change.apply(text);
        }
        if (value instanceof Number number) {
            String changed = change.apply(number.toString());
            return changed.equals(number.toString()) ? number : changed;
        }
        return inside(value, item -> changedInJson(item, change));
    }
}
