package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Runtime.Filter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Filters on lists, dicts and other things with elements. */
final class SequenceFilters {
    private SequenceFilters() {
    }

    static void register(Map<String, Filter> filters) {
        Filter length = (runtime, value, arguments) -> {
            arguments.bind("length", 0);
            return Types.length(value);
        };
        filters.put("length", length);
        filters.put("count", length);
        filters.put("list", (runtime, value, arguments) -> {
            arguments.bind("list", 0);
            return new ArrayList<>(runtime.items(value));
        });
        filters.put("first", (runtime, value, arguments) -> first(value));
        filters.put("last", (runtime, value, arguments) -> last(runtime, value));
        filters.put("join", SequenceFilters::join);
        filters.put("reverse", SequenceFilters::reverse);
        filters.put("items", SequenceFilters::items);
        filters.put("sort", SequenceFilters::sort);
        filters.put("dictsort", SequenceFilters::dictSort);
        filters.put("unique", SequenceFilters::unique);
        filters.put("min", (runtime, value, arguments) -> extreme("min", -1, runtime, value, arguments));
        filters.put("max", (runtime, value, arguments) -> extreme("max", 1, runtime, value, arguments));
        filters.put("batch", SequenceFilters::batch);
        filters.put("slice", SequenceFilters::slice);
    }

    private static Object first(Object value) {
        Iterator<Object> items = Types.iterate(value);
        return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
    }

    private static Object last(Runtime runtime, Object value) {
        if (value instanceof Generator) {
            throw new TemplateError("'generator' object is not reversible; turn it into a list first");
        }
        List<Object> items = runtime.items(value);
        return items.isEmpty() ? new Undefined("No last item, sequence was empty.") : items.get(items.size() - 1);
    }

    private static Object join(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("join", 0, "d", "attribute");
        String separator = runtime.str(bound.get(0, ""));
        Attributes attributes = Attributes.one(bound.get(1, null));
        Output out = new Output(runtime.budget());
        String before = "";
        for (Object item : runtime.items(value)) {
            out.append(before);
            out.append(runtime.str(attributes.of(item)));
            before = separator;
        }
        return out.toString();
    }

    private static Object reverse(Runtime runtime, Object value, Arguments arguments) {
        arguments.bind("reverse", 0);
        String text = Types.text(value);
        if (text != null) {
            runtime.budget().chargeText(text.length());
            StringBuilder reversed = new StringBuilder(text.length());
            int[] codePoints = text.codePoints().toArray();
            for (int i = codePoints.length - 1; i >= 0; i--) {
                reversed.appendCodePoint(codePoints[i]);
            }
            return reversed.toString();
        }
        List<Object> items = new ArrayList<>(runtime.items(value));
        Collections.reverse(items);
        return value instanceof Generator ? items : new Generator(items.iterator());
    }

    private static Object items(Runtime runtime, Object value, Arguments arguments) {
        arguments.bind("items", 0);
        if (value instanceof Undefined) {
            return new Generator(Collections.emptyIterator());
        }
        if (!(value instanceof Map<?, ?> map)) {
            throw new TemplateError("Can only get item pairs from a mapping.");
        }
        runtime.budget().charge(map.size());
        return new Generator(DictView.pairs(map).iterator());
    }

    private static Object sort(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("sort", 0, "reverse", "case_sensitive", "attribute");
        boolean caseSensitive = bound.truth(1, false);
        List<Attributes> attributes = Attributes.several(bound.get(2, null));
        List<Object> items = new ArrayList<>(runtime.items(value));
        Sorting.sort(items, item -> {
            List<Object> key = new ArrayList<>();
            attributes.forEach(path -> key.add(Attributes.ignoreCase(path.of(item), caseSensitive)));
            return key;
        }, bound.truth(0, false), runtime.budget());
        return items;
    }

    private static Object dictSort(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("dictsort", 0, "case_sensitive", "by", "reverse");
        String by = bound.text(1, "key");
        if (!by.equals("key") && !by.equals("value")) {
            throw new TemplateError("dictsort can only sort by either \"key\" or \"value\"");
        }
        if (!(value instanceof Map<?, ?> map)) {
            throw value instanceof Undefined undefined ? undefined.error()
                    : new TemplateError("dictsort needs a dict, not " + Types.name(value));
        }
        List<Object> pairs = DictView.pairs(map);
        int index = by.equals("key") ? 0 : 1;
        Sorting.sort(pairs, pair -> Attributes.ignoreCase(((Tuple) pair).items().get(index), bound.truth(0, false)),
                bound.truth(2, false), runtime.budget());
        return pairs;
    }

    private static Object unique(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("unique", 0, "case_sensitive", "attribute");
        boolean caseSensitive = bound.truth(0, false);
        Attributes attributes = Attributes.one(bound.get(1, null));
        Set<Object> seen = new HashSet<>();
        List<Object> unique = new ArrayList<>();
        for (Object item : runtime.items(value)) {
            if (seen.add(canonical(Types.key(Attributes.ignoreCase(attributes.of(item), caseSensitive))))) {
                unique.add(item);
            }
        }
        return new Generator(unique.iterator());
    }

    /** One object for all values that are equal in Python: 1, 1.0 and True; a string and a marked one. */
    private static Object canonical(Object value) {
        if (value instanceof Boolean truth) {
            return truth ? 1L : 0L;
        }
        if (value instanceof Double number && number == Math.rint(number) && Math.abs(number) < 1e15) {
            return number.longValue();
        }
        if (value instanceof Undefined) {
            return Undefined.class;
        }
        return value instanceof Markup markup ? markup.text() : value;
    }

    private static Object extreme(String name, int sign, Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind(name, 0, "case_sensitive", "attribute");
        boolean caseSensitive = bound.truth(0, false);
        Attributes attributes = Attributes.one(bound.get(1, null));
        Object best = new Undefined("No aggregated item, sequence was empty.");
        Object bestKey = null;
        boolean any = false;
        for (Object item : runtime.items(value)) {
            Object key = Attributes.ignoreCase(attributes.of(item), caseSensitive);
            int order = any ? PyCompare.compare(key, bestKey, sign > 0 ? ">" : "<", runtime.budget()) : 0;
            if (!any || order != PyCompare.UNORDERED && Integer.signum(order) == sign) {
                best = item;
                bestKey = key;
            }
            any = true;
        }
        return best;
    }

    private static Object batch(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("batch", 1, "linecount", "fill_with");
        long size = bound.integer(0, 0);
        Object fill = bound.get(1, null);
        List<Object> batches = new ArrayList<>();
        List<Object> batch = new ArrayList<>();
        for (Object item : runtime.items(value)) {
            if (batch.size() == size) {
                batches.add(batch);
                batch = new ArrayList<>();
            }
            batch.add(item);
        }
        if (!batch.isEmpty()) {
            long missing = fill == null ? 0 : Math.max(0, size - batch.size());
            runtime.budget().charge(missing);
            batch.addAll(Collections.nCopies((int) missing, fill));
            batches.add(batch);
        }
        return new Generator(batches.iterator());
    }

    private static Object slice(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("slice", 1, "slices", "fill_with");
        List<Object> items = runtime.items(value);
        long slices = bound.integer(0, 0);
        if (slices == 0) {
            throw new TemplateError("division by zero");
        }
        runtime.budget().charge(Math.max(0, slices));
        List<Object> result = new ArrayList<>();
        int start = 0;
        for (long i = 0; i < slices; i++) {
            boolean larger = i < items.size() % slices;
            int end = start + (int) (items.size() / slices) + (larger ? 1 : 0);
            List<Object> slice = new ArrayList<>(items.subList(start, end));
            if (!larger && bound.get(1, null) != null) {
                slice.add(bound.get(1, null));
            }
            result.add(slice);
            start = end;
        }
        return new Generator(result.iterator());
    }
}
