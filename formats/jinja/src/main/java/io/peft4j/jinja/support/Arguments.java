package io.peft4j.jinja.support;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The evaluated arguments of a call.
 *
 * @param positional in order
 * @param named by name
 */
record Arguments(List<Object> positional, Map<String, Object> named) {

    private static final Object MISSING = new Object();

    /** The same without the first {@code count} positional arguments. */
    Arguments dropFirst(int count) {
        return new Arguments(positional.subList(count, positional.size()), named);
    }

    /**
     * Assigns the arguments to parameters.
     *
     * @param function the name for error messages
     * @param required how many of the first parameters must be given
     * @param parameters the names of all parameters
     */
    Bound bind(String function, int required, String... parameters) {
        List<String> names = List.of(parameters);
        if (positional.size() > names.size()) {
            throw TemplateError.unsupported(function + "() with more than " + names.size() + " arguments ("
                    + positional.size() + " given)");
        }
        List<Object> values = new ArrayList<>(positional);
        while (values.size() < names.size()) {
            values.add(MISSING);
        }
        named.forEach((name, value) -> {
            int index = names.indexOf(name);
            if (index < 0) {
                throw TemplateError.unsupported("the argument '" + name + "' of " + function + "()");
            }
            if (values.get(index) != MISSING) {
                throw new TemplateError(function + "() got multiple values for argument '" + name + "'");
            }
            values.set(index, value);
        });
        for (int i = 0; i < required; i++) {
            if (values.get(i) == MISSING) {
                throw new TemplateError(function + "() needs the argument '" + names.get(i) + "'");
            }
        }
        return new Bound(function, names, values);
    }

    /** Arguments by the index of their parameter. */
    record Bound(String function, List<String> names, List<Object> values) {
        boolean has(int index) {
            return values.get(index) != MISSING;
        }

        Object get(int index, Object otherwise) {
            return has(index) ? values.get(index) : otherwise;
        }

        /** A string argument; {@code otherwise} if it is missing or none. */
        String text(int index, String otherwise) {
            Object value = get(index, null);
            if (value == null) {
                return otherwise;
            }
            if (!(value instanceof String text)) {
                throw wrongType(index, "a string");
            }
            return text;
        }

        /** An integer argument; {@code otherwise} if it is missing or none. */
        long integer(int index, long otherwise) {
            Object value = get(index, null);
            if (value == null) {
                return otherwise;
            }
            Long number = Types.index(value);
            if (number == null) {
                throw wrongType(index, "an integer");
            }
            return number;
        }

        boolean truth(int index, boolean otherwise) {
            return has(index) ? Types.truth(values.get(index)) : otherwise;
        }

        private TemplateError wrongType(int index, String wanted) {
            Object value = values.get(index);
            if (value instanceof Undefined undefined) {
                return undefined.error();
            }
            return new TemplateError("the argument '" + names.get(index) + "' of " + function + "() must be " + wanted
                    + ", not " + Types.name(value));
        }
    }
}
