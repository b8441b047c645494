package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Runtime.Filter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/** Filters that pick or change each element: {@code select}, {@code map} and their kin, and {@code groupby}. */
final class SelectionFilters {
    private SelectionFilters() {
    }

    static void register(Map<String, Filter> filters) {
        filters.put("select", (runtime, value, arguments) -> select(runtime, value, arguments, false, true));
        filters.put("reject", (runtime, value, arguments) -> select(runtime, value, arguments, false, false));
        filters.put("selectattr", (runtime, value, arguments) -> select(runtime, value, arguments, true, true));
        filters.put("rejectattr", (runtime, value, arguments) -> select(runtime, value, arguments, true, false));
        filters.put("map", SelectionFilters::map);
        filters.put("groupby", SelectionFilters::groupBy);
    }

    private static Object select(Runtime runtime, Object value, Arguments arguments, boolean byAttribute,
            boolean wanted) {
        if (!Types.truth(value)) {
            return new Generator(Collections.emptyIterator());
        }
        if (byAttribute && arguments.positional().isEmpty()) {
            throw new TemplateError("missing parameter for attribute name");
        }
        Attributes attributes = Attributes.one(byAttribute ? arguments.positional().get(0) : null);
        Predicate<Object> test = test(runtime, byAttribute ? arguments.dropFirst(1) : arguments);
        List<Object> selected = new ArrayList<>();
        for (Object item : runtime.items(value)) {
            if (test.test(attributes.of(item)) == wanted) {
                selected.add(item);
            }
        }
        return new Generator(selected.iterator());
    }

    /** The test that the first argument names, with the other arguments; the truth of the value if there is none. */
    private static Predicate<Object> test(Runtime runtime, Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            return Types::truth;
        }
        String name = runtime.str(arguments.positional().get(0));
        Arguments rest = arguments.dropFirst(1);
        return item -> runtime.test(name, item, rest);
    }

    private static Object map(Runtime runtime, Object value, Arguments arguments) {
        if (!Types.truth(value)) {
            return new Generator(Collections.emptyIterator());
        }
        Function<Object, Object> function;
        if (arguments.positional().isEmpty()) {
            Arguments.Bound bound = arguments.bind("map", 0, "attribute", "default");
            if (!bound.has(0)) {
                throw new TemplateError("map requires a filter argument");
            }
            Attributes attributes = Attributes.one(bound.get(0, null));
            function = item -> attributes.of(item, bound.get(1, null));
        } else {
            String name = runtime.str(arguments.positional().get(0));
            Arguments rest = arguments.dropFirst(1);
            function = item -> runtime.filter(name, item, rest);
        }
        List<Object> mapped = new ArrayList<>();
        for (Object item : runtime.items(value)) {
            mapped.add(function.apply(item));
        }
        return new Generator(mapped.iterator());
    }

    private static Object groupBy(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("groupby", 1, "attribute", "default", "case_sensitive");
        Attributes attributes = Attributes.one(bound.get(0, null));
        Object otherwise = bound.get(1, null);
        boolean caseSensitive = bound.truth(2, false);
        Function<Object, Object> key = item -> Attributes.ignoreCase(attributes.of(item, otherwise), caseSensitive);
        List<Object> items = new ArrayList<>(runtime.items(value));
        Sorting.sort(items, key, false, runtime.budget());
        List<Object> groups = new ArrayList<>();
        List<Object> group = new ArrayList<>();
        for (Object item : items) {
            if (!group.isEmpty() && !PyCompare.equal(key.apply(group.get(0)), key.apply(item), runtime.budget())) {
                groups.add(group(attributes.of(group.get(0), otherwise), group));
                group = new ArrayList<>();
            }
            group.add(item);
        }
        if (!group.isEmpty()) {
            groups.add(group(attributes.of(group.get(0), otherwise), group));
        }
        return groups;
    }

    private static Tuple group(Object grouper, List<Object> members) {
        return Tuple.named(List.of("grouper", "list"), grouper, members);
    }
}
