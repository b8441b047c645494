package io.peft4j.jinja.support;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What kind of Python value a Java object is: null is None; Boolean, Long and BigInteger, Double and String
 * are the scalars; any List is a list and any Map a dict; the others are the classes of this package.
 */
final class Types {
    private Types() {
    }

    /** The name of the Python type, for error messages. */
    static String name(Object value) {
        if (value == null) {
            return "NoneType";
        } else if (value instanceof Boolean) {
            return "bool";
        } else if (isInteger(value)) {
            return "int";
        } else if (value instanceof Double) {
            return "float";
        } else if (value instanceof String) {
            return "str";
        } else if (value instanceof List) {
            return "list";
        } else if (value instanceof Map) {
            return "dict";
        } else if (value instanceof IntRange) {
            return "range";
        } else if (value instanceof DictView view) {
            return view.kind().typeName();
        } else if (value instanceof LoopState) {
            return "LoopContext";
        } else if (value instanceof TemplateFunction && !(value instanceof Macro)) {
            return "function";
        }
        String name = value.getClass().getSimpleName();
        return value instanceof Tuple || value instanceof Generator ? name.toLowerCase(Locale.ROOT) : name;
    }

    /** Turns JSON-like Java values into those that templates work with; containers are copied. */
    static Object fromJava(Object value) {
        if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return ((Number) value).longValue();
        } else if (value instanceof Float number) {
            return number.doubleValue();
        } else if (value instanceof Map<?, ?> map) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            map.forEach((key, item) -> copy.put(fromJava(key), fromJava(item)));
            return copy;
        } else if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>(list.size());
            list.forEach(item -> copy.add(fromJava(item)));
            return copy;
        } else if (value instanceof BigInteger number) {
            return number.bitLength() < Long.SIZE ? (Object) number.longValue() : number;
        } else if (value == null || value instanceof String || value instanceof Boolean || value instanceof Long
                || value instanceof Double) {
            return value;
        }
        throw new TemplateError("a variable of the template holds a " + value.getClass().getName()
                + "; allowed are null, Boolean, Number, String, List and Map");
    }

    static boolean isInteger(Object value) {
        return value instanceof Long || value instanceof BigInteger;
    }

    static boolean isNumber(Object value) {
        return isInteger(value) || value instanceof Double || value instanceof Boolean;
    }

    static double toDouble(Object number) {
        return number instanceof Boolean truth ? truth ? 1 : 0 : ((Number) number).doubleValue();
    }

    /** The value as an index or count (an integer or boolean that fits); null for anything else. */
    static Long index(Object value) {
        if (value instanceof Boolean truth) {
            return truth ? 1L : 0L;
        }
        return value instanceof Long number ? number : null;
    }

    static boolean truth(Object value) {
        if (value == null || value instanceof Undefined) {
            return false;
        } else if (value instanceof Boolean truth) {
            return truth;
        } else if (value instanceof Long number) {
            return number != 0;
        } else if (value instanceof Double number) {
            return number != 0;
        }
        return !hasLength(value) || length(value) > 0;
    }

    static boolean hasLength(Object value) {
        return value instanceof String || value instanceof List || value instanceof Tuple || value instanceof Map
                || value instanceof IntRange || value instanceof DictView || value instanceof Undefined
                || value instanceof LoopState;
    }

    /** Python's {@code len}. */
    static long length(Object value) {
        if (value instanceof String text) {
            return PyStrings.length(text);
        } else if (value instanceof Map<?, ?> map) {
            return map.size();
        } else if (value instanceof DictView view) {
            return view.map().size();
        } else if (value instanceof Undefined) {
            return 0;
        } else if (value instanceof LoopState loop) {
            return loop.length();
        }
        List<Object> items = sequence(value);
        if (items == null) {
            throw new TemplateError("object of type '" + name(value) + "' has no len()");
        }
        return items.size();
    }

    /** The items of a list, tuple or range as a list; null for anything else. */
    static List<Object> sequence(Object value) {
        if (value instanceof List<?> list) {
            @SuppressWarnings("unchecked")
            List<Object> items = (List<Object>) list;
            return items;
        } else if (value instanceof Tuple tuple) {
            return tuple.items();
        }
        return value instanceof IntRange range ? range.items() : null;
    }

    static boolean isIterable(Object value) {
        return value instanceof Generator || hasLength(value);
    }

    /** Walks over the elements of a value: the characters of a string, the keys of a dict. */
    static Iterator<Object> iterate(Object value) {
        if (value instanceof Generator generator) {
            return generator.iterator();
        }
        return items(value).iterator();
    }

    /** The elements of a value as a list, which may be the value itself: do not change it. */
    static List<Object> items(Object value) {
        if (value instanceof String text) {
            return PyStrings.characters(text);
        } else if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        } else if (value instanceof DictView view) {
            return view.items();
        } else if (value instanceof Undefined) {
            return List.of();
        } else if (value instanceof Generator generator) {
            List<Object> items = new ArrayList<>();
            generator.iterator().forEachRemaining(items::add);
            return items;
        }
        List<Object> items = sequence(value);
        if (items == null) {
            throw new TemplateError("'" + name(value) + "' object is not iterable");
        }
        return items;
    }

    /** Checks that a value can be a key of a dict. */
    static Object key(Object value) {
        boolean nested = value instanceof Tuple tuple
                && tuple.items().stream().anyMatch(item -> item instanceof Tuple || !isHashable(item));
        if (nested || !isHashable(value)) {
            throw new TemplateError("unhashable type: '" + name(value) + "'");
        }
        return value;
    }

    static boolean isHashable(Object value) {
        return !(value instanceof List || value instanceof Map || value instanceof DictView
                || value instanceof Namespace);
    }
}
