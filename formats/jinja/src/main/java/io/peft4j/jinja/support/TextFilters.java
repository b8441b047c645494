package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Runtime.Filter;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Filters on strings. Anything else is turned into a string first, as in Jinja. */
final class TextFilters {
    private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final String WORD_BREAKS = "-({[<";
    /** A text that is longer than it may be by no more than this is not cut. */
    private static final int LEEWAY = 5;

    private TextFilters() {
    }

    static void register(Map<String, Filter> filters) {
        plain(filters, "upper", PyStrings::upper);
        plain(filters, "lower", PyStrings::lower);
        plain(filters, "capitalize", PyStrings::capitalize);
        plain(filters, "title", TextFilters::title);
        filters.put("trim", (runtime, value, arguments) -> PyStrings.strip(runtime.str(value),
                arguments.bind("trim", 0, "chars").text(0, null)));
        filters.put("string", (runtime, value, arguments) -> value instanceof Markup ? value : runtime.str(value));
        filters.put("safe", (runtime, value, arguments) -> new Markup(runtime.str(value)));
        Filter escape = (runtime, value, arguments) -> Markup.escape(value, runtime.budget());
        filters.put("e", escape);
        filters.put("escape", escape);
        filters.put("forceescape", (runtime, value, arguments) -> Markup.escape(runtime.str(value), runtime.budget()));
        filters.put("replace", (runtime, value, arguments) -> {
            Arguments.Bound bound = arguments.bind("replace", 2, "old", "new", "count");
            return PyStrings.replace(runtime.str(value), runtime.str(bound.get(0, "")), runtime.str(bound.get(1, "")),
                    bound.integer(2, -1), runtime.budget());
        });
        filters.put("format", (runtime, value, arguments) -> format(runtime, value, arguments));
        filters.put("center", (runtime, value, arguments) -> {
            long width = arguments.bind("center", 0, "width").integer(0, 80);
            return StringMethods.bind(runtime.str(value), "center").call(runtime, Arguments.of(width));
        });
        filters.put("wordcount", (runtime, value, arguments) -> {
            String text = runtime.str(value);
            runtime.budget().chargeText(text.length());
            return WORD.matcher(text).results().count();
        });
        filters.put("indent", TextFilters::indent);
        filters.put("truncate", TextFilters::truncate);
    }

    private static void plain(Map<String, Filter> filters, String name, UnaryOperator<String> function) {
        filters.put(name, (runtime, value, arguments) -> {
            arguments.bind(name, 0);
            String text = runtime.str(value);
            runtime.budget().chargeText(text.length());
            return function.apply(text);
        });
    }

    private static Object format(Runtime runtime, Object value, Arguments arguments) {
        if (!arguments.named().isEmpty() && !arguments.positional().isEmpty()) {
            throw new TemplateError("format cannot take positional and keyword arguments at the same time");
        }
        Object values = arguments.named().isEmpty() ? Tuple.of(arguments.positional()) : arguments.named();
        return PercentFormat.format(runtime.str(value), values, runtime.budget());
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

    private static Object indent(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("indent", 0, "width", "first", "blank");
        String text = Types.text(value);
        if (text == null) {
            throw new TemplateError("indent needs a string, not " + Types.name(value));
        }
        Object width = bound.get(0, 4L);
        long size = Types.text(width) != null ? Types.text(width).length() : Math.max(0, bound.integer(0, 4));
        List<Object> lines = PyStrings.lines(text + "\n", false);
        runtime.budget().chargeText(Math.min(Integer.MAX_VALUE, size) * lines.size() + text.length());
        String indent = Types.text(width) != null ? Types.text(width) : " ".repeat((int) size);
        boolean blank = bound.truth(2, false);
        String result = lines.stream().skip(1).map(line -> line.equals("") && !blank ? "\n" : "\n" + indent + line)
                .collect(Collectors.joining("", (String) lines.get(0), ""));
        return bound.truth(1, false) ? indent + result : result;
    }

    private static Object truncate(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("truncate", 0, "length", "killwords", "end", "leeway");
        String text = runtime.str(value);
        String end = bound.text(2, "...");
        long length = bound.integer(0, 255);
        if (length < PyStrings.length(end)) {
            throw new TemplateError("truncate needs a length of at least " + PyStrings.length(end) + ", got " + length);
        }
        if (PyStrings.length(text) <= length + bound.integer(3, LEEWAY)) {
            return text;
        }
        String start = PyStrings.substring(text, 0, (int) length - PyStrings.length(end));
        int cut = bound.truth(1, false) ? -1 : start.lastIndexOf(' ');
        return (cut < 0 ? start : start.substring(0, cut)) + end;
    }
}
