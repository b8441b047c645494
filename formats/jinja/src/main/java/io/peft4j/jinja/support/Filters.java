package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Runtime.Filter;
import java.util.HashMap;
import java.util.Map;

/** The functions behind {@code |}, by name. */
final class Filters {
    private static final Map<String, Filter> FILTERS = filters();

    private Filters() {
    }

    /** The filter of a name; null if there is none. */
    static Filter find(String name) {
        return FILTERS.get(name);
    }

    private static Map<String, Filter> filters() {
        Map<String, Filter> filters = new HashMap<>();
        TextFilters.register(filters);
        NumberFilters.register(filters);
        SequenceFilters.register(filters);
        SelectionFilters.register(filters);
        filters.put("tojson", (runtime, value, arguments) -> TemplateJson.write(value, arguments, runtime.budget()));
        Filter otherwise = (runtime, value, arguments) -> {
            Arguments.Bound bound = arguments.bind("default", 0, "default_value", "boolean");
            boolean replace = value instanceof Undefined || bound.truth(1, false) && !Types.truth(value);
            return replace ? bound.get(0, "") : value;
        };
        filters.put("default", otherwise);
        filters.put("d", otherwise);
        filters.put("attr", (runtime, value, arguments) -> {
            String name = arguments.bind("attr", 1, "name").text(0, "");
            Object member = value instanceof Map ? ContainerMethods.bind(value, name) : Members.attribute(value, name);
            return member == null ? Undefined.member(value, name) : member;
        });
        return Map.copyOf(filters);
    }
}
