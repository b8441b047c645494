package io.peft4j.jinja.support;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;

/** The methods of Python's {@code str} that templates can call. */
final class StringMethods {
    private static final Map<String, Method> METHODS = methods();
    /** Methods that Python has and templates do not need; calling one says so. */
    private static final Set<String> UNSUPPORTED = Set.of("encode", "expandtabs", "isascii", "isidentifier",
            "isprintable", "istitle", "maketrans", "translate");

    private StringMethods() {
    }

    /** One method. */
    private interface Method {
        Object apply(String self, Arguments arguments, Runtime runtime);
    }

    /** The method of a string, ready to be called; null if there is none of that name. */
    static TemplateFunction bind(String self, String name) {
        Method method = METHODS.get(name);
        if (method != null) {
            return (runtime, arguments) -> method.apply(self, arguments, runtime);
        }
        if (UNSUPPORTED.contains(name)) {
            return (runtime, arguments) -> {
                throw new TemplateError("the string method '" + name + "' is not supported in templates");
            };
        }
        return null;
    }

    private static Map<String, Method> methods() {
        Map<String, Method> methods = new HashMap<>();
        shape(methods);
        search(methods);
        pieces(methods);
        questions(methods);
        return methods;
    }

    private static void shape(Map<String, Method> methods) {
        plain(methods, "upper", PyStrings::upper);
        plain(methods, "lower", PyStrings::lower);
        plain(methods, "casefold", text -> PyStrings.lower(PyStrings.upper(text)));
        plain(methods, "title", PyStrings::title);
        plain(methods, "capitalize", PyStrings::capitalize);
        plain(methods, "swapcase", StringMethods::swapCase);
        methods.put("strip", (self, arguments, runtime) -> PyStrings.strip(self, characters("strip", arguments)));
        methods.put("lstrip", (self, arguments, runtime) -> PyStrings.stripLeft(self, characters("lstrip", arguments)));
        methods.put("rstrip",
                (self, arguments, runtime) -> PyStrings.stripRight(self, characters("rstrip", arguments)));
        methods.put("replace", (self, arguments, runtime) -> {
            Arguments.Bound bound = arguments.bind("replace", 2, "old", "new", "count");
            return PyStrings.replace(self, bound.text(0, ""), bound.text(1, ""), bound.integer(2, -1),
                    runtime.budget());
        });
        methods.put("removeprefix", (self, arguments, runtime) -> {
            String prefix = one("removeprefix", arguments);
            return self.startsWith(prefix) ? self.substring(prefix.length()) : self;
        });
        methods.put("removesuffix", (self, arguments, runtime) -> {
            String suffix = one("removesuffix", arguments);
            return self.endsWith(suffix) ? self.substring(0, self.length() - suffix.length()) : self;
        });
        methods.put("zfill", (self, arguments, runtime) -> {
            int width = width("zfill", arguments.bind("zfill", 1, "width"), runtime);
            boolean signed = self.startsWith("-") || self.startsWith("+");
            String zeros = "0".repeat(Math.max(0, width - PyStrings.length(self)));
            return signed ? self.charAt(0) + zeros + self.substring(1) : zeros + self;
        });
        methods.put("ljust", (self, arguments, runtime) -> justify("ljust", self, arguments, runtime));
        methods.put("rjust", (self, arguments, runtime) -> justify("rjust", self, arguments, runtime));
        methods.put("center", (self, arguments, runtime) -> justify("center", self, arguments, runtime));
        methods.put("format", (self, arguments, runtime) -> BraceFormat.format(self, arguments, runtime));
        methods.put("format_map", (self, arguments, runtime) -> {
            Object values = arguments.bind("format_map", 1, "mapping").get(0, null);
            if (!(values instanceof Map<?, ?> map)) {
                throw new TemplateError("format_map() needs a dict, not " + Types.name(values));
            }
            Map<String, Object> named = new HashMap<>();
            map.forEach((key, value) -> named.put(PyText.str(key, runtime.budget()), value));
            return BraceFormat.format(self, new Arguments(List.of(), named), runtime);
        });
    }

    private static void search(Map<String, Method> methods) {
        methods.put("startswith", (self, arguments, runtime) -> affix("startswith", self, arguments, true));
        methods.put("endswith", (self, arguments, runtime) -> affix("endswith", self, arguments, false));
        methods.put("find", (self, arguments, runtime) -> find("find", self, arguments, false, false));
        methods.put("rfind", (self, arguments, runtime) -> find("rfind", self, arguments, true, false));
        methods.put("index", (self, arguments, runtime) -> find("index", self, arguments, false, true));
        methods.put("rindex", (self, arguments, runtime) -> find("rindex", self, arguments, true, true));
        methods.put("count", (self, arguments, runtime) -> {
            String part = one("count", arguments);
            return part.isEmpty() ? PyStrings.length(self) + 1L : PyStrings.split(self, part, -1).size() - 1L;
        });
    }

    private static void pieces(Map<String, Method> methods) {
        methods.put("split", (self, arguments, runtime) -> {
            Arguments.Bound bound = arguments.bind("split", 0, "sep", "maxsplit");
            return PyStrings.split(self, separator(bound), bound.integer(1, -1));
        });
        methods.put("rsplit", (self, arguments, runtime) -> {
            Arguments.Bound bound = arguments.bind("rsplit", 0, "sep", "maxsplit");
            return PyStrings.splitRight(self, separator(bound), bound.integer(1, -1));
        });
        methods.put("splitlines", (self, arguments, runtime) -> PyStrings.lines(self,
                arguments.bind("splitlines", 0, "keepends").truth(0, false)));
        methods.put("partition", (self, arguments, runtime) -> partition(self, one("partition", arguments), false));
        methods.put("rpartition", (self, arguments, runtime) -> partition(self, one("rpartition", arguments), true));
        methods.put("join", (self, arguments, runtime) -> {
            Output out = new Output(runtime.budget());
            String separator = "";
            for (Object item : runtime.items(arguments.bind("join", 1, "iterable").get(0, null))) {
                String text = Types.text(item);
                if (text == null) {
                    throw new TemplateError("join() needs strings, but an item is " + Types.name(item));
                }
                out.append(separator);
                out.append(text);
                separator = self;
            }
            return out.toString();
        });
    }

    private static void questions(Map<String, Method> methods) {
        every(methods, "isspace", PyStrings::isSpace);
        every(methods, "isalpha", Character::isLetter);
        every(methods, "isdigit", Character::isDigit);
        every(methods, "isdecimal", Character::isDigit);
        every(methods, "isnumeric", StringMethods::isNumeric);
        every(methods, "isalnum", c -> Character.isLetter(c) || isNumeric(c));
        methods.put("isupper", (self, arguments, runtime) -> isUpper(self));
        methods.put("islower", (self, arguments, runtime) -> isLower(self));
    }

    /** Python's {@code str.isupper}: at least one cased character, and all of those in upper case. */
    static boolean isUpper(String text) {
        return text.codePoints().anyMatch(PyStrings::isCased)
                && text.codePoints().noneMatch(c -> PyStrings.isCased(c) && !Character.isUpperCase(c));
    }

    /** Python's {@code str.islower}: at least one cased character, and all of those in lower case. */
    static boolean isLower(String text) {
        return text.codePoints().anyMatch(PyStrings::isCased)
                && text.codePoints().noneMatch(c -> PyStrings.isCased(c) && !Character.isLowerCase(c));
    }

    private static boolean isNumeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER;
    }

    private static void plain(Map<String, Method> methods, String name, UnaryOperator<String> function) {
        methods.put(name, (self, arguments, runtime) -> {
            arguments.bind(name, 0);
            runtime.budget().chargeText(self.length());
            return function.apply(self);
        });
    }

    private static void every(Map<String, Method> methods, String name, IntPredicate predicate) {
        methods.put(name, (self, arguments, runtime) -> {
            arguments.bind(name, 0);
            return !self.isEmpty() && self.codePoints().allMatch(predicate);
        });
    }

    private static String characters(String name, Arguments arguments) {
        return arguments.bind(name, 0, "chars").text(0, null);
    }

    private static String one(String name, Arguments arguments) {
        String text = arguments.bind(name, 1, "text").text(0, null);
        if (text == null) {
            throw new TemplateError(name + "() needs a string, not None");
        }
        return text;
    }

    private static String separator(Arguments.Bound bound) {
        String separator = bound.text(0, null);
        if (separator != null && separator.isEmpty()) {
            throw new TemplateError("empty separator");
        }
        return separator;
    }

    private static int width(String name, Arguments.Bound bound, Runtime runtime) {
        long width = bound.integer(0, 0);
        if (width > 0) {
            runtime.budget().chargeText(width);
        }
        return (int) Math.max(0, width);
    }

    private static Object justify(String name, String self, Arguments arguments, Runtime runtime) {
        Arguments.Bound bound = arguments.bind(name, 1, "width", "fillchar");
        int width = width(name, bound, runtime);
        String fill = bound.text(1, " ");
        if (PyStrings.length(fill) != 1) {
            throw new TemplateError("the fill character of " + name + "() must be exactly one character long");
        }
        int missing = Math.max(0, width - PyStrings.length(self));
        int left = switch (name) {
            case "ljust" -> 0;
            case "rjust" -> missing;
            default -> missing / 2 + (missing & width & 1);
        };
        return fill.repeat(left) + self + fill.repeat(missing - left);
    }

    private static Object affix(String name, String self, Arguments arguments, boolean start) {
        Arguments.Bound bound = arguments.bind(name, 1, "affix", "start", "end");
        String part = bounded(self, bound);
        Object wanted = bound.get(0, null);
        List<Object> options = wanted instanceof Tuple tuple ? tuple.items() : null;
        if (options == null) {
            String affix = bound.text(0, null);
            if (affix == null) {
                throw new TemplateError(name + "() needs a string or a tuple of strings, not None");
            }
            return start ? part.startsWith(affix) : part.endsWith(affix);
        }
        for (Object option : options) {
            String affix = Types.text(option);
            if (affix == null) {
                throw new TemplateError(name + "() needs strings in its tuple, not " + Types.name(option));
            }
            if (start ? part.startsWith(affix) : part.endsWith(affix)) {
                return true;
            }
        }
        return false;
    }

    /** The part of a string that the arguments {@code start} and {@code end}, at index 1 and 2, pick. */
    private static String bounded(String self, Arguments.Bound bound) {
        long length = PyStrings.length(self);
        long from = clamp(bound.integer(1, 0), length);
        long to = clamp(bound.integer(2, length), length);
        return from == 0 && to == length ? self : from > to ? "" : PyStrings.substring(self, (int) from, (int) to);
    }

    private static long clamp(long index, long length) {
        return Math.max(0, Math.min(length, index < 0 ? index + length : index));
    }

    private static Object find(String name, String self, Arguments arguments, boolean last, boolean mustExist) {
        Arguments.Bound bound = arguments.bind(name, 1, "sub", "start", "end");
        String part = bounded(self, bound);
        String wanted = bound.text(0, null);
        if (wanted == null) {
            throw new TemplateError(name + "() needs a string, not None");
        }
        int at = last ? part.lastIndexOf(wanted) : part.indexOf(wanted);
        if (at < 0) {
            if (mustExist) {
                throw new TemplateError("substring not found");
            }
            return -1L;
        }
        return part.codePointCount(0, at) + clamp(bound.integer(1, 0), PyStrings.length(self));
    }

    private static Object partition(String self, String separator, boolean last) {
        if (separator.isEmpty()) {
            throw new TemplateError("empty separator");
        }
        int at = last ? self.lastIndexOf(separator) : self.indexOf(separator);
        if (at < 0) {
            return last ? Tuple.of("", "", self) : Tuple.of(self, "", "");
        }
        return Tuple.of(self.substring(0, at), separator, self.substring(at + separator.length()));
    }

    private static String swapCase(String text) {
        StringBuilder swapped = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            String character = Character.toString(c);
            swapped.append(Character.isUpperCase(c) ? PyStrings.lower(character) : PyStrings.upper(character));
        });
        return swapped.toString();
    }
}
