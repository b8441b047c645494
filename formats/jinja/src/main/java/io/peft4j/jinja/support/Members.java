package io.peft4j.jinja.support;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.UnaryOperator;

/**
 * What follows a dot or is in square brackets. The methods that would change a dict or list are refused, as in
 * Jinja's immutable sandbox.
 */
final class Members {
    /** Stands for a member that does not exist; null cannot, as it is None. */
    static final Object MISSING = new Object();
    private static final Map<String, Set<String>> CHANGES = Map.of(
            "dict", Set.of("clear", "pop", "popitem", "setdefault", "update"),
            "list", Set.of("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"));
    /** Methods that Python has and templates do not need; calling one says so. */
    private static final Map<String, Set<String>> UNSUPPORTED = Map.of("dict", Set.of("copy"),
            "list", Set.of("copy", "count", "index"), "tuple", Set.of("count", "index"), "str", Set.of("casefold",
                    "center", "count", "encode", "expandtabs", "find", "format_map", "index", "isalnum",
                    "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric",
                    "isprintable", "isspace", "istitle", "isupper", "ljust", "maketrans", "partition", "removeprefix",
                    "removesuffix", "rfind", "rindex", "rjust", "rpartition", "rsplit", "splitlines", "swapcase",
                    "translate", "zfill"));

    private Members() {
    }

    /** {@code object.name}: a method if there is one, else an attribute or the item of that name, else undefined. */
    static Object attribute(Object object, String name) {
        Object member = member(object, name);
        if (member != MISSING) {
            return member;
        }
        if (object instanceof Map<?, ?> map && map.containsKey(name)) {
            return map.get(name);
        }
        return missing(object, name);
    }

    /** {@code object[key]}: an item if there is one, else a method of that name, else undefined. */
    static Object item(Object object, Object key) {
        if (object instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (object instanceof Map<?, ?> map) {
            if (Types.isHashable(key) && map.containsKey(Types.key(key))) {
                return map.get(key);
            }
        } else if (Types.index(key) != null) {
            Object item = element(object, Types.index(key));
            if (item != MISSING) {
                return item;
            }
        }
        if (!(key instanceof String name)) {
            return Undefined.member(object, key);
        }
        Object member = member(object, name);
        return member != MISSING ? member : missing(object, name);
    }

    private static Object element(Object object, long index) {
        List<Object> items = Types.sequence(object);
        if (!(object instanceof String) && items == null) {
            return MISSING;
        }
        long length = Types.length(object);
        long at = index < 0 ? index + length : index;
        if (at < 0 || at >= length) {
            return MISSING;
        }
        return items != null ? items.get((int) at) : PyStrings.substring((String) object, (int) at, (int) at + 1);
    }

    /** A method or built-in attribute; {@link #MISSING} if the object has none of that name. */
    private static Object member(Object object, String name) {
        if (object instanceof Undefined undefined) {
            throw undefined.error();
        } else if (object instanceof Namespace namespace) {
            return namespace.attributes().getOrDefault(name, MISSING);
        } else if (object instanceof LoopState loop) {
            return loop.attribute(name);
        }
        String type = Types.name(object);
        if (CHANGES.getOrDefault(type, Set.of()).contains(name)) {
            return new Undefined("access to attribute '" + name + "' of '" + type
                    + "' object is unsafe: a template cannot change its inputs");
        }
        if (UNSUPPORTED.getOrDefault(type, Set.of()).contains(name)) {
            return (TemplateFunction) (runtime, arguments) -> {
                throw TemplateError.unsupported("the method '" + name + "' of " + type);
            };
        }
        TemplateFunction method = object instanceof String text ? StringMethods.bind(text, name)
                : object instanceof Map<?, ?> map ? dictMethod(map, name) : null;
        return method == null ? MISSING : method;
    }

    private static TemplateFunction dictMethod(Map<?, ?> self, String name) {
        return switch (name) {
            case "items" -> view(self, name, DictView.Kind.ITEMS);
            case "keys" -> view(self, name, DictView.Kind.KEYS);
            case "values" -> view(self, name, DictView.Kind.VALUES);
            case "get" -> (runtime, arguments) -> {
                Arguments.Bound bound = arguments.bind("get", 1, "key", "default");
                Object key = Types.key(bound.get(0, null));
                return self.containsKey(key) ? self.get(key) : bound.get(1, null);
            };
            default -> null;
        };
    }

    private static TemplateFunction view(Map<?, ?> self, String name, DictView.Kind kind) {
        return (runtime, arguments) -> {
            arguments.bind(name, 0);
            return new DictView(kind, self);
        };
    }

    private static Object missing(Object object, String name) {
        if (name.startsWith("__")) {
            return new Undefined("access to attribute '" + name + "' of '" + Types.name(object) + "' object is unsafe");
        }
        return Undefined.member(object, name);
    }

    /** {@code object[from:to:step]}; a part that is left out is null. */
    static Object slice(Object object, Object from, Object to, Object step, Budget budget) {
        if (object instanceof Undefined undefined) {
            throw undefined.error();
        }
        List<Object> items = Types.sequence(object);
        if (!(object instanceof String) && items == null) {
            throw new TemplateError("'" + Types.name(object) + "' object cannot be sliced");
        }
        long length = Types.length(object);
        long stride = step == null ? 1 : bound(step);
        if (stride == 0) {
            throw new TemplateError("slice step cannot be zero");
        }
        long first = from == null ? stride > 0 ? 0 : length - 1 : clamp(bound(from), length, stride);
        long last = to == null ? stride > 0 ? length : -1 : clamp(bound(to), length, stride);
        if (object instanceof String text && stride == 1) {
            budget.chargeText(Math.max(0, last - first));
            return last <= first ? "" : PyStrings.substring(text, (int) first, (int) last);
        }
        budget.charge(length);
        List<Object> source = object instanceof String text ? PyStrings.characters(text) : items;
        List<Object> result = new ArrayList<>();
        for (long at = first; stride > 0 ? at < last : at > last; at += stride) {
            result.add(source.get((int) at));
        }
        if (object instanceof String) {
            StringBuilder joined = new StringBuilder();
            result.forEach(joined::append);
            return joined.toString();
        }
        return object instanceof Tuple ? Tuple.of(result) : result;
    }

    private static long bound(Object value) {
        Long index = Types.index(value);
        if (index == null) {
            throw value instanceof Undefined undefined ? undefined.error()
                    : new TemplateError("slice indices must be integers or None, not " + Types.name(value));
        }
        return Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, index));
    }

    private static long clamp(long index, long length, long stride) {
        long at = index < 0 ? index + length : index;
        if (stride > 0) {
            return Math.max(0, Math.min(length, at));
        }
        return Math.max(-1, Math.min(length - 1, at));
    }

    /** The methods of Python's {@code str} that templates can call. */
    private static final class StringMethods {
        private static final Map<String, Method> METHODS = methods();

        private StringMethods() {
        }

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
            methods.put("lstrip",
                    (self, arguments, runtime) -> PyStrings.stripLeft(self, characters("lstrip", arguments)));
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
            methods.put("format", (self, arguments, runtime) -> PercentFormat.braces(self, arguments, runtime));
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
}
