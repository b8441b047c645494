package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Expression.Operator;
import io.peft4j.jinja.support.PyCompare.Comparator;
import io.peft4j.jinja.support.Runtime.Test;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;

/** The functions behind {@code is}. */
final class Tests {
    private static final Map<String, Test> TESTS = tests();

    private Tests() {
    }

    /** The test of a name; null if there is none. */
    static Test find(String name) {
        return TESTS.get(name);
    }

    private static Map<String, Test> tests() {
        Map<String, Test> tests = new HashMap<>();
        kinds(tests);
        comparisons(tests);
        tests.put("odd", (runtime, value, arguments) -> modulo(runtime, value, 2L, 1L));
        tests.put("even", (runtime, value, arguments) -> modulo(runtime, value, 2L, 0L));
        tests.put("divisibleby", (runtime, value, arguments) -> modulo(runtime, value,
                arguments.bind("divisibleby", 1, "num").get(0, null), 0L));
        return Map.copyOf(tests);
    }

    private static void kinds(Map<String, Test> tests) {
        kind(tests, "defined", value -> !(value instanceof Undefined));
        kind(tests, "undefined", Undefined.class::isInstance);
        kind(tests, "none", Objects::isNull);
        kind(tests, "boolean", Boolean.class::isInstance);
        kind(tests, "true", Boolean.TRUE::equals);
        kind(tests, "false", Boolean.FALSE::equals);
        kind(tests, "integer", Types::isInteger);
        kind(tests, "float", Double.class::isInstance);
        kind(tests, "number", Types::isNumber);
        kind(tests, "string", String.class::isInstance);
        kind(tests, "mapping", Map.class::isInstance);
        kind(tests, "iterable", Types::isIterable);
        kind(tests, "sequence", Tests::isSequence);
    }

    private static void kind(Map<String, Test> tests, String name, Predicate<Object> predicate) {
        tests.put(name, (runtime, value, arguments) -> {
            arguments.bind(name, 0);
            return predicate.test(value);
        });
    }

    private static boolean isSequence(Object value) {
        return value instanceof String || Types.sequence(value) != null || value instanceof Map
                || value instanceof Undefined;
    }

    private static void comparisons(Map<String, Test> tests) {
        comparison(tests, Comparator.EQUAL, "==", "eq", "equalto");
        comparison(tests, Comparator.NOT_EQUAL, "!=", "ne");
        comparison(tests, Comparator.GREATER, ">", "gt", "greaterthan");
        comparison(tests, Comparator.GREATER_EQUAL, ">=", "ge");
        comparison(tests, Comparator.LESS, "<", "lt", "lessthan");
        comparison(tests, Comparator.LESS_EQUAL, "<=", "le");
        comparison(tests, Comparator.IN, "in");
    }

    private static void comparison(Map<String, Test> tests, Comparator comparator, String... names) {
        for (String name : List.of(names)) {
            tests.put(name, (runtime, value, arguments) -> comparator.holds(value,
                    arguments.bind(name, 1, "other").get(0, null), runtime.budget()));
        }
    }

    private static boolean modulo(Runtime runtime, Object value, Object divisor, long remainder) {
        Object rest = Arithmetic.apply(Operator.MODULO, value, divisor, runtime);
        return PyCompare.equal(rest, remainder, runtime.budget());
    }
}
