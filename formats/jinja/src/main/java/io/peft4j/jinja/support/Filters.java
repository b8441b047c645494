package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Runtime.Filter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** The functions behind {@code |}, by name. Those on strings turn anything else into a string first, as in Jinja. */
final class Filters {
    /** What Jinja does to texts that are added to one marked as safe; no template can name it. */
    static final String ESCAPE = "escape what is added";
    private static final Pattern LINE_END = Pattern.compile("\\r\\n|[\\n\\r\\x0B\\f\\x1C-\\x1E\\x85\\u2028\\u2029]");
    private static final String WORD_BREAKS = "-({[<";
    private static final int MOST_DIGITS = 19;
    private static final Map<String, Filter> FILTERS = filters();

    private Filters() {
    }

    /** The filter of a name; null if there is none. */
    static Filter find(String name) {
        return FILTERS.get(name);
    }

    private static Map<String, Filter> filters() {
        Map<String, Filter> filters = new HashMap<>();
        texts(filters);
        sequences(filters);
        filters.put("tojson", (runtime, value, arguments) -> TemplateJson.write(value, arguments, runtime.budget()));
        filters.put("int", (runtime, value, arguments) -> integer(value,
                arguments.bind("int", 0, "default").get(0, 0L)));
        Filter otherwise = (runtime, value, arguments) -> {
            Arguments.Bound bound = arguments.bind("default", 0, "default_value", "boolean");
            boolean replace = value instanceof Undefined || bound.truth(1, false) && !Types.truth(value);
            return replace ? bound.get(0, "") : value;
        };
        filters.put("default", otherwise);
        filters.put("d", otherwise);
        return Map.copyOf(filters);
    }

    private static void texts(Map<String, Filter> filters) {
        plain(filters, "upper", PyStrings::upper);
        plain(filters, "lower", PyStrings::lower);
        plain(filters, "capitalize", PyStrings::capitalize);
        plain(filters, "title", Filters::title);
        // Chat templates are not HTML: nothing is escaped, so all of them is safe.
        plain(filters, "safe", text -> text);
        plain(filters, ESCAPE, text -> text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                .replace("'", "&#39;").replace("\"", "&#34;"));
        plain(filters, "string", text -> text);
        filters.put("trim", (runtime, value, arguments) -> PyStrings.strip(runtime.str(value),
                arguments.bind("trim", 0, "chars").text(0, null)));
        filters.put("replace", (runtime, value, arguments) -> {
            Arguments.Bound bound = arguments.bind("replace", 2, "old", "new", "count");
            return PyStrings.replace(runtime.str(value), runtime.str(bound.get(0, "")), runtime.str(bound.get(1, "")),
                    bound.integer(2, -1), runtime.budget());
        });
        filters.put("indent", (runtime, value, arguments) -> {
            Arguments.Bound bound = arguments.bind("indent", 0, "width", "first", "blank");
            long width = bound.get(0, 4L) instanceof String ? 0 : Math.max(0, bound.integer(0, 4));
            runtime.budget().chargeText(width);
            String space = bound.get(0, 4L) instanceof String given ? given : " ".repeat((int) width);
            if (!(value instanceof String text)) {
                throw value instanceof Undefined undefined ? undefined.error()
                        : new TemplateError("indent needs a string, not " + Types.name(value));
            }
            return indent(text, space, bound.truth(1, false), bound.truth(2, false), runtime.budget());
        });
        filters.put("format", (runtime, value, arguments) -> {
            if (!arguments.named().isEmpty()) {
                throw TemplateError.unsupported("format() with named values");
            }
            return PercentFormat.format(runtime.str(value), Tuple.of(arguments.positional()), runtime);
        });
    }

    /** Lines with space in front of all but the first and those that are blank, unless these are asked for, too. */
    private static String indent(String text, String space, boolean first, boolean blank, Budget budget) {
        Output out = new Output(budget);
        out.append(first ? space : "");
        String separator = "";
        for (String line : LINE_END.split(text, -1)) {
            out.append(separator.isEmpty() ? "" : "\n");
            out.append(separator.isEmpty() || line.isEmpty() && !blank ? "" : space);
            out.append(line);
            separator = "\n";
        }
        return out.toString();
    }

    private static void plain(Map<String, Filter> filters, String name, UnaryOperator<String> function) {
        filters.put(name, (runtime, value, arguments) -> {
            arguments.bind(name, 0);
            String text = runtime.str(value);
            runtime.budget().chargeText(text.length());
            return function.apply(text);
        });
    }

    /** Jinja's own title case: a word begins after whitespace, a hyphen or an opening bracket. */
    private static String title(String text) {
        StringBuilder result = new StringBuilder(text.length());
        boolean begins = true;
        for (int i = 0; i < text.length();) {
            int next = text.offsetByCodePoints(i, 1);
            String character = text.substring(i, next);
            result.append(begins ? PyStrings.upper(character) : PyStrings.lower(character));
            begins = PyStrings.isSpace(text.codePointAt(i)) || WORD_BREAKS.contains(character);
            i = next;
        }
        return result.toString();
    }

    /** Of a string the integer that it says, of a float what is before the point; else the default. */
    private static Object integer(Object value, Object otherwise) {
        if (value instanceof Undefined undefined) {
            throw undefined.error();
        }
        String digits = value instanceof String text ? PyStrings.strip(text, null) : "";
        if (digits.matches("[+-]?[0-9]+(_[0-9]+)*") && digits.length() < MOST_DIGITS) {
            return Long.valueOf(digits.replace("_", ""));
        }
        if (digits.matches("[+-]?[0-9]+\\.[0-9]*") && digits.length() < MOST_DIGITS) {
            return Double.valueOf(digits).longValue();
        }
        return value instanceof Double number && Math.abs(number) < Long.MAX_VALUE ? (Object) number.longValue()
                : value instanceof Boolean ? Types.index(value) : Types.isInteger(value) ? value : otherwise;
    }

    private static void sequences(Map<String, Filter> filters) {
        filters.put("length", (runtime, value, arguments) -> {
            arguments.bind("length", 0);
            return Types.length(value);
        });
        filters.put("list", (runtime, value, arguments) -> {
            arguments.bind("list", 0);
            return new ArrayList<>(runtime.items(value));
        });
        filters.put("first", (runtime, value, arguments) -> {
            Iterator<Object> items = Types.iterate(value);
            return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
        });
        filters.put("last", Filters::last);
        filters.put("join", Filters::join);
        filters.put("items", Filters::items);
        filters.put("dictsort", Filters::dictSort);
        filters.put("sort", (runtime, value, arguments) -> {
            Arguments.Bound bound = arguments.bind("sort", 0, "reverse", "case_sensitive", "attribute");
            return sorted(runtime, value, bound.get(2, null), bound.truth(1, false), bound.truth(0, false));
        });
        for (String end : List.of("min", "max")) {
            filters.put(end, (runtime, value, arguments) -> {
                Arguments.Bound bound = arguments.bind(end, 0, "case_sensitive", "attribute");
                List<Object> items = sorted(runtime, value, bound.get(1, null), bound.truth(0, false),
                        end.equals("max"));
                return items.isEmpty() ? new Undefined("No aggregated item, sequence was empty.") : items.get(0);
            });
        }
        filters.put("select", (runtime, value, arguments) -> select(runtime, value, arguments, false, true));
        filters.put("reject", (runtime, value, arguments) -> select(runtime, value, arguments, false, false));
        filters.put("selectattr", (runtime, value, arguments) -> select(runtime, value, arguments, true, true));
        filters.put("rejectattr", (runtime, value, arguments) -> select(runtime, value, arguments, true, false));
        filters.put("map", Filters::map);
    }

    private static Object last(Runtime runtime, Object value, Arguments arguments) {
        if (value instanceof Generator) {
            throw new TemplateError("'generator' object is not reversible; turn it into a list first");
        }
        List<Object> items = runtime.items(value);
        return items.isEmpty() ? new Undefined("No last item, sequence was empty.") : items.get(items.size() - 1);
    }

    private static Object join(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("join", 0, "d", "attribute");
        String separator = runtime.str(bound.get(0, ""));
        Function<Object, Object> attribute = attribute(bound.get(1, null));
        Output out = new Output(runtime.budget());
        String before = "";
        for (Object item : runtime.items(value)) {
            out.append(before);
            out.append(runtime.str(attribute.apply(item)));
            before = separator;
        }
        return out.toString();
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

    /** Pairs in the order of their keys, strings whatever their case. */
    private static Object dictSort(Runtime runtime, Object value, Arguments arguments) {
        arguments.bind("dictsort", 0);
        if (!(value instanceof Map<?, ?> map)) {
            throw value instanceof Undefined undefined ? undefined.error()
                    : new TemplateError("dictsort needs a dict, not " + Types.name(value));
        }
        return sorted(runtime, DictView.pairs(map), 0L, false, false);
    }

    /** Items by themselves or by an attribute, in a stable order. */
    private static List<Object> sorted(Runtime runtime, Object value, Object path, boolean caseSensitive,
            boolean reverse) {
        if (path instanceof String text && text.contains(",")) {
            throw TemplateError.unsupported("sorting by several attributes");
        }
        List<Object> items = new ArrayList<>(runtime.items(value));
        runtime.budget().charge(items.size());
        Function<Object, Object> attribute = path == null ? item -> item : attribute(path);
        Function<Object, Object> key = attribute.andThen(each -> !caseSensitive && each instanceof String text
                ? PyStrings.lower(text) : each);
        items.sort((a, b) -> {
            int order = PyCompare.compare(key.apply(a), key.apply(b), "<", runtime.budget());
            if (order == PyCompare.UNORDERED) {
                throw new TemplateError("values that contain NaN cannot be sorted");
            }
            return reverse ? -order : order;
        });
        return items;
    }

    private static Object select(Runtime runtime, Object value, Arguments arguments, boolean byAttribute,
            boolean wanted) {
        if (!Types.truth(value)) {
            return new Generator(Collections.emptyIterator());
        }
        if (byAttribute && arguments.positional().isEmpty()) {
            throw new TemplateError("missing parameter for attribute name");
        }
        Function<Object, Object> attribute = attribute(byAttribute ? arguments.positional().get(0) : null);
        Predicate<Object> test = test(runtime, byAttribute ? arguments.dropFirst(1) : arguments);
        List<Object> selected = new ArrayList<>();
        for (Object item : runtime.items(value)) {
            if (test.test(attribute.apply(item)) == wanted) {
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
            function = attribute(arguments.bind("map", 1, "attribute").get(0, null));
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

    /** What is at the end of a path such as {@code function.name} or {@code 0.id}; the item itself without a path. */
    private static Function<Object, Object> attribute(Object path) {
        if (path == null) {
            return item -> item;
        }
        List<Object> parts = new ArrayList<>();
        for (Object part : path instanceof String text ? PyStrings.split(text, ".", -1) : List.of(path)) {
            parts.add(part instanceof String digits && digits.matches("[0-9]{1,9}") ? (Object) Long.valueOf(digits)
                    : part);
        }
        return item -> {
            Object value = item;
            for (Object part : parts) {
                value = Members.item(value, part);
            }
            return value;
        };
    }
}
