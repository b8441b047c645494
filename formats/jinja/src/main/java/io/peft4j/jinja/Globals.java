package io.peft4j.jinja;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
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
}
