package io.peft4j.jinja.support;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.UnaryOperator;

/** The methods of Python's {@code str} that templates can call. */
final class StringMethods {
    private static final Map<String, Method> METHODS = methods();

    private StringMethods() {
    }

    /** One method. */
    private interface Method {
        Object apply(String self, Arguments arguments, Runtime runtime);
    }

    /** The method of a string, ready to be called; null if there is none of that name. */
    static TemplateFunction bind(String self, String name) {
        Method method = METHODS.get(name);
        return method == null ? null : (runtime, arguments) -> method.apply(self, arguments, runtime);
    }

    private static Map<String, Method> methods() {
        Map<String, Method> methods = new HashMap<>();
        plain(methods, "upper", PyStrings::upper);
        plain(methods, "lower", PyStrings::lower);
        plain(methods, "title", PyStrings::title);
        plain(methods, "capitalize", PyStrings::capitalize);
        methods.put("strip", (self, arguments, runtime) -> PyStrings.strip(self, characters("strip", arguments)));
        methods.put("lstrip", (self, arguments, runtime) -> PyStrings.stripLeft(self, characters("lstrip", arguments)));
        methods.put("rstrip",
                (self, arguments, runtime) -> PyStrings.stripRight(self, characters("rstrip", arguments)));
        methods.put("startswith", (self, arguments, runtime) -> affix("startswith", self, arguments,
                String::startsWith));
        methods.put("endswith", (self, arguments, runtime) -> affix("endswith", self, arguments, String::endsWith));
        methods.put("replace", (self, arguments, runtime) -> {
            Arguments.Bound bound = arguments.bind("replace", 2, "old", "new", "count");
            return PyStrings.replace(self, bound.text(0, ""), bound.text(1, ""), bound.integer(2, -1),
                    runtime.budget());
        });
        methods.put("split", (self, arguments, runtime) -> {
            Arguments.Bound bound = arguments.bind("split", 0, "sep", "maxsplit");
            String separator = bound.text(0, null);
            if (separator != null && separator.isEmpty()) {
                throw new TemplateError("empty separator");
            }
            return PyStrings.split(self, separator, bound.integer(1, -1));
        });
        methods.put("join", (self, arguments, runtime) -> {
            Output out = new Output(runtime.budget());
            String separator = "";
            for (Object item : runtime.items(arguments.bind("join", 1, "iterable").get(0, null))) {
                if (!(item instanceof String text)) {
                    throw new TemplateError("join() needs strings, but an item is " + Types.name(item));
                }
                out.append(separator);
                out.append(text);
                separator = self;
            }
            return out.toString();
        });
        return methods;
    }

    private static void plain(Map<String, Method> methods, String name, UnaryOperator<String> function) {
        methods.put(name, (self, arguments, runtime) -> {
            arguments.bind(name, 0);
            runtime.budget().chargeText(self.length());
            return function.apply(self);
        });
    }

    private static String characters(String name, Arguments arguments) {
        return arguments.bind(name, 0, "chars").text(0, null);
    }

    /** Whether a string begins or ends with another one, or with one of a tuple. */
    private static Object affix(String name, String self, Arguments arguments, BiPredicate<String, String> has) {
        Object wanted = arguments.bind(name, 1, "affix").get(0, null);
        for (Object option : wanted instanceof Tuple tuple ? tuple.items() : Collections.singletonList(wanted)) {
            if (!(option instanceof String affix)) {
                throw option instanceof Undefined undefined ? undefined.error() : new TemplateError(name
                        + "() needs a string or a tuple of strings, not " + Types.name(option));
            }
            if (has.test(self, affix)) {
                return true;
            }
        }
        return false;
    }
}
