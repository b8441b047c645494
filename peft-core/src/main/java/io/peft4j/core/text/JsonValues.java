package io.peft4j.core.text;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Copies JSON-like values (null, booleans, numbers, strings, lists, maps with string keys) into unmodifiable ones. */
final class JsonValues {
    private JsonValues() {
    }

    /** Returns a deep, unmodifiable copy in the same key order; {@code where} names the value in error messages. */
    static Object copy(Object value, String where) {
        if (value == null || value instanceof String || value instanceof Boolean || value instanceof Number) {
            return value;
        }
        if (value instanceof Map<?, ?> map) {
            return copyMap(map, where);
        }
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>(list.size());
            for (int i = 0; i < list.size(); i++) {
                copy.add(copy(list.get(i), where + "[" + i + "]"));
            }
            return Collections.unmodifiableList(copy);
        }
        throw new IllegalArgumentException(where + " is a " + value.getClass().getName()
                + "; allowed are null, Boolean, Number, String, List and Map with String keys");
    }

    /** {@link #copy} for a map; keys must be strings. */
    static Map<String, Object> copyMap(Map<?, ?> map, String where) {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            if (!(key instanceof String name)) {
                throw new IllegalArgumentException(where + " has the key " + key + "; keys must be strings");
            }
            copy.put(name, copy(value, where + "." + name));
        });
        return Collections.unmodifiableMap(copy);
    }
}
