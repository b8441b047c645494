package io.peft4j.jinja.support;

import java.time.Clock;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The functions that every template can call. */
final class Globals {
    private static final Map<String, Object> FUNCTIONS = functions();

    private Globals() {
    }

    /** The outermost scope of a rendering. */
    static Scope scope() {
        return new Scope(null, new HashMap<>(FUNCTIONS));
    }

    private static Map<String, Object> functions() {
        Map<String, TemplateFunction> functions = new HashMap<>();
        functions.put("range", (runtime, arguments) -> range(arguments));
        functions.put("dict", (runtime, arguments) -> dict("dict", runtime, arguments));
        functions.put("namespace", (runtime, arguments) -> {
            Namespace namespace = new Namespace();
            dict("namespace", runtime, arguments).forEach((name, value) -> namespace.set(runtime.str(name), value));
            return namespace;
        });
        functions.put("raise_exception", (runtime, arguments) -> {
            Object message = arguments.bind("raise_exception", 1, "message").get(0, "");
            throw new TemplateError(runtime.str(message));
        });
        functions.put("strftime_now", (runtime, arguments) -> Strftime
                .format(arguments.bind("strftime_now", 1, "format").text(0, ""), runtime.clock()));
        return Map.copyOf(functions);
    }

    private static Object range(Arguments arguments) {
        Arguments.Bound bound = arguments.bind("range", 1, "start", "stop", "step");
        if (!bound.has(1)) {
            return new IntRange(0, bound.integer(0, 0), 1);
        }
        return new IntRange(bound.integer(0, 0), bound.integer(1, 0), bound.integer(2, 1));
    }

    private static Map<Object, Object> dict(String function, Runtime runtime, Arguments arguments) {
        Map<Object, Object> dict = new LinkedHashMap<>();
        if (arguments.positional().size() > 1) {
            throw new TemplateError(function + " expected at most 1 argument, got " + arguments.positional().size());
        }
        for (Object source : arguments.positional()) {
            if (source instanceof Map<?, ?> map) {
                runtime.budget().charge(map.size());
                dict.putAll(map);
                continue;
            }
            for (Object pair : runtime.items(source)) {
                List<Object> both = runtime.items(pair);
                if (both.size() != 2) {
                    throw new TemplateError("each element passed to " + function + "() must be a pair");
                }
                dict.put(Types.key(both.get(0)), both.get(1));
            }
        }
        dict.putAll(arguments.named());
        return dict;
    }

    /** Python's {@code strftime} in the C locale, for the current local time. */
    private static final class Strftime {
        private static final Map<Character, String> PATTERNS = Map.ofEntries(
                Map.entry('a', "EEE"), Map.entry('A', "EEEE"), Map.entry('b', "MMM"), Map.entry('B', "MMMM"),
                Map.entry('d', "dd"), Map.entry('m', "MM"), Map.entry('y', "yy"), Map.entry('Y', "yyyy"),
                Map.entry('H', "HH"), Map.entry('I', "hh"), Map.entry('M', "mm"), Map.entry('S', "ss"),
                Map.entry('j', "DDD"), Map.entry('p', "a"), Map.entry('F', "yyyy-MM-dd"), Map.entry('T', "HH:mm:ss"));

        private Strftime() {
        }

        /**
         * The time of the clock in a format such as {@code %d %B %Y}; a hyphen as in {@code %-d} drops leading zeros.
         */
        static String format(String format, Clock clock) {
            LocalDateTime now = LocalDateTime.now(clock);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < format.length(); i++) {
                char c = format.charAt(i);
                if (c != '%' || i + 1 == format.length()) {
                    text.append(c);
                    continue;
                }
                boolean bare = format.charAt(i + 1) == '-' && i + 2 < format.length();
                i += bare ? 2 : 1;
                String part = directive(format.charAt(i), now);
                text.append(bare ? part.replaceFirst("^0+(?=.)", "") : part);
            }
            return text.toString();
        }

        private static String directive(char directive, LocalDateTime now) {
            if (directive == '%') {
                return "%";
            }
            String pattern = PATTERNS.get(directive);
            if (pattern == null) {
                throw TemplateError.unsupported("'%" + directive + "' in a format of the date");
            }
            return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(now);
        }
    }
}
