package io.peft4j.jinja.support;

import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code namespace()} makes: the one object that a template can change, also from inside a loop. */
final class Namespace {
    private final Map<String, Object> attributes = new LinkedHashMap<>();

    Map<String, Object> attributes() {
        return attributes;
    }

    /** Sets an attribute; like transformers it refuses names that begin with an underscore. */
    void set(String name, Object value) {
        if (name.startsWith("_")) {
            throw new TemplateError("a namespace cannot have the attribute '" + name
                    + "': names must not begin with an underscore");
        }
        attributes.put(name, value);
    }
}
