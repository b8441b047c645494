package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Statement.Flow;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What one rendering carries along: its budget and clock, the line it is at, its variables and what it writes to. */
final class Runtime {
    private final Budget budget;
    private final Clock clock;
    private int line;
    private Scope scope;
    private Output out;

    Runtime(Budget budget, Clock clock) {
        this.budget = budget;
        this.clock = clock;
        this.scope = new Scope(Globals.scope());
        this.out = new Output(budget);
    }

    Budget budget() {
        return budget;
    }

    Clock clock() {
        return clock;
    }

    /** The line that is being evaluated; 0 before the first. */
    int line() {
        return line;
    }

    void at(int newLine) {
        line = newLine;
    }

    /** The variables of the innermost block. */
    Scope scope() {
        return scope;
    }

    /** What is written to: the output of the template, or of a block whose text is a value. */
    Output out() {
        return out;
    }

    Object evaluate(Expression expression) {
        budget.enter();
        line = expression.line();
        Object value = expression.evaluate(this);
        budget.leave();
        return value;
    }

    Flow run(List<Statement> statements) {
        budget.enter();
        Flow flow = Flow.NEXT;
        for (Statement statement : statements) {
            line = statement.line();
            flow = statement.run(this);
            if (flow != Flow.NEXT) {
                break;
            }
        }
        budget.leave();
        return flow;
    }

    /** Does something with the variables of another scope. */
    <T> T in(Scope inner, Supplier<T> work) {
        Scope outer = scope;
        scope = inner;
        T result = work.get();
        scope = outer;
        return result;
    }

    /** Runs a body in a scope and hands on what it wrote, unless it leaves the loop around it. */
    Flow capture(Scope inner, List<Statement> body, Consumer<String> written) {
        Output outer = out;
        Output own = new Output(budget);
        out = own;
        Flow flow = in(inner, () -> run(body));
        out = outer;
        if (flow == Flow.NEXT) {
            written.accept(own.toString());
        }
        return flow;
    }

    /** {@link Types#items}, charged. */
    List<Object> items(Object value) {
        if (Types.hasLength(value)) {
            budget.charge(Types.length(value));
        }
        return Types.items(value);
    }

    /** {@link Types#iterate}, charged. */
    Iterator<Object> iterate(Object value) {
        return value instanceof Generator generator ? generator.iterator() : items(value).iterator();
    }

    String str(Object value) {
        return PyText.str(value, budget);
    }

    Object filter(String name, Object value, Arguments arguments) {
        Filter filter = Filters.find(name);
        if (filter == null) {
            throw TemplateError.unsupported("the filter '" + name + "'");
        }
        return filter.apply(this, value, arguments);
    }

    boolean test(String name, Object value, Arguments arguments) {
        Test test = Tests.find(name);
        if (test == null) {
            throw TemplateError.unsupported("the test '" + name + "'");
        }
        return test.holds(this, value, arguments);
    }

    /** A function behind {@code |}. */
    interface Filter {
        Object apply(Runtime runtime, Object value, Arguments arguments);
    }

    /** A function behind {@code is}. */
    interface Test {
        boolean holds(Runtime runtime, Object value, Arguments arguments);
    }

    /** The functions that every template can call. */
    private static final class Globals {
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
                throw new TemplateError(
                        function + " expected at most 1 argument, got " + arguments.positional().size());
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
                    Map.entry('j', "DDD"), Map.entry('p', "a"), Map.entry('F', "yyyy-MM-dd"),
                    Map.entry('T', "HH:mm:ss"));

            private Strftime() {
            }

            /**
             * The time of the clock in a format such as {@code %d %B %Y}; a hyphen as in {@code %-d} drops leading
             * zeros.
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
}
