package io.peft4j.jinja.support;

import java.util.ArrayList;
import java.util.List;

/**
 * A path of attributes such as {@code function.name} or {@code 0.id}, as the filters on sequences take it. No path at
 * all means the item itself.
 */
final class Attributes {
    private final List<Object> parts = new ArrayList<>();

    private Attributes(Object path) {
        String text = Types.text(path);
        if (text == null) {
            if (path != null) {
                parts.add(path);
            }
            return;
        }
        for (Object part : PyStrings.split(text, ".", -1)) {
            String name = (String) part;
            boolean digits = !name.isEmpty() && name.length() < 10 && name.chars().allMatch(c -> c >= '0' && c <= '9');
            parts.add(digits ? (Object) Long.valueOf(name) : name);
        }
    }

    /** One path, given as a string, an index or None. */
    static Attributes one(Object path) {
        return new Attributes(path);
    }

    /** Several paths with commas between them. */
    static List<Attributes> several(Object paths) {
        String text = Types.text(paths);
        if (text == null) {
            return List.of(new Attributes(paths));
        }
        return PyStrings.split(text, ",", -1).stream().map(Attributes::new).toList();
    }

    /** The value at the end of the path. */
    Object of(Object item) {
        return of(item, null);
    }

    /** The value at the end of the path, with a default that takes the place of every undefined value on the way. */
    Object of(Object item, Object otherwise) {
        Object value = item;
        for (Object part : parts) {
            value = Members.item(value, part);
            if (otherwise != null && value instanceof Undefined) {
                value = otherwise;
            }
        }
        return value;
    }

    /** Strings in lower case unless case matters; anything else as it is. */
    static Object ignoreCase(Object value, boolean caseSensitive) {
        String text = Types.text(value);
        return text == null || caseSensitive ? value : PyStrings.lower(text);
    }
}
