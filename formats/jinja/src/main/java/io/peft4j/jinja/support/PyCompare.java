package io.peft4j.jinja.support;

import java.math.BigDecimal;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Python's equality, order and membership. */
final class PyCompare {
    /** The order where a NaN takes part. */
    static final int UNORDERED = Integer.MIN_VALUE;

    private PyCompare() {
    }

    /** The comparison operators, each with its sign for error messages. */
    enum Comparator {
        EQUAL("=="), NOT_EQUAL("!="), LESS("<"), LESS_EQUAL("<="), GREATER(">"), GREATER_EQUAL(">="), IN("in"), NOT_IN(
                "not in");

        private final String sign;

        Comparator(String sign) {
            this.sign = sign;
        }

        /** Whether two values compare so. */
        boolean holds(Object left, Object right, Budget budget) {
            return switch (this) {
                case EQUAL -> equal(left, right, budget);
                case NOT_EQUAL -> !equal(left, right, budget);
                case IN -> contains(right, left, budget);
                case NOT_IN -> !contains(right, left, budget);
                default -> inOrder(compare(left, right, sign, budget));
            };
        }

        private boolean inOrder(int order) {
            boolean larger = this == GREATER || this == GREATER_EQUAL;
            return order != UNORDERED && (order == 0 ? this == LESS_EQUAL || this == GREATER_EQUAL
                    : order > 0 == larger);
        }
    }

    /** What {@code a == b} gives. */
    static boolean equal(Object a, Object b, Budget budget) {
        budget.enter();
        boolean equal = equalValues(a, b, budget);
        budget.leave();
        return equal;
    }

    private static boolean equalValues(Object a, Object b, Budget budget) {
        if (Types.isNumber(a) && Types.isNumber(b)) {
            return compareNumbers(a, b) == 0;
        }
        if (a instanceof Undefined) {
            return b instanceof Undefined;
        }
        if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
            return equalDicts(x, y, budget);
        }
        boolean sameKind = a instanceof List && b instanceof List || a instanceof Tuple && b instanceof Tuple
                || a instanceof IntRange && b instanceof IntRange;
        return sameKind ? equalItems(Types.sequence(a), Types.sequence(b), budget) : Objects.equals(a, b);
    }

    private static boolean equalItems(List<Object> a, List<Object> b, Budget budget) {
        if (a.size() != b.size()) {
            return false;
        }
        Iterator<Object> others = b.iterator();
        for (Object item : a) {
            if (!equal(item, others.next(), budget)) {
                return false;
            }
        }
        return true;
    }

    private static boolean equalDicts(Map<?, ?> a, Map<?, ?> b, Budget budget) {
        if (a.size() != b.size()) {
            return false;
        }
        for (Map.Entry<?, ?> entry : a.entrySet()) {
            if (!b.containsKey(entry.getKey()) || !equal(entry.getValue(), b.get(entry.getKey()), budget)) {
                return false;
            }
        }
        return true;
    }

    /**
     * The order of two values: negative, zero or positive; {@link #UNORDERED} where a NaN takes part.
     *
     * @param operator the sign for the error message
     */
    static int compare(Object a, Object b, String operator, Budget budget) {
        budget.enter();
        int order = compareValues(a, b, operator, budget);
        budget.leave();
        return order;
    }

    private static int compareValues(Object a, Object b, String operator, Budget budget) {
        if (Types.isNumber(a) && Types.isNumber(b)) {
            return compareNumbers(a, b);
        }
        if (a instanceof String left && b instanceof String right) {
            return PyStrings.compare(left, right);
        }
        if (a instanceof List && b instanceof List || a instanceof Tuple && b instanceof Tuple) {
            return compareItems(Types.sequence(a), Types.sequence(b), operator, budget);
        }
        throw a instanceof Undefined undefined ? undefined.error()
                : b instanceof Undefined undefined ? undefined.error()
                        : new TemplateError("'" + operator + "' not supported between instances of '" + Types.name(a)
                                + "' and '" + Types.name(b) + "'");
    }

    private static int compareItems(List<Object> a, List<Object> b, String operator, Budget budget) {
        int common = Math.min(a.size(), b.size());
        for (int i = 0; i < common; i++) {
            if (!equal(a.get(i), b.get(i), budget)) {
                return compare(a.get(i), b.get(i), operator, budget);
            }
        }
        return Integer.compare(a.size(), b.size());
    }

    private static int compareNumbers(Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            return Long.compare(x, y);
        }
        double x = Types.toDouble(a);
        double y = Types.toDouble(b);
        if (Double.isNaN(x) || Double.isNaN(y)) {
            return UNORDERED;
        }
        if (Double.isInfinite(x) || Double.isInfinite(y)) {
            return Double.compare(x, y);
        }
        return decimal(a).compareTo(decimal(b));
    }

    private static BigDecimal decimal(Object number) {
        return number instanceof Double value ? new BigDecimal(value)
                : new BigDecimal(number instanceof Boolean truth ? truth ? "1" : "0" : number.toString());
    }

    /** What {@code item in container} gives. */
    static boolean contains(Object container, Object item, Budget budget) {
        if (container instanceof String text) {
            if (!(item instanceof String part)) {
                throw item instanceof Undefined undefined ? undefined.error() : new TemplateError(
                        "'in <string>' requires string as left operand, not " + Types.name(item));
            }
            budget.chargeText(text.length());
            return text.contains(part);
        }
        if (container instanceof Map<?, ?> map) {
            return map.containsKey(Types.key(item));
        }
        if (!Types.isIterable(container)) {
            throw new TemplateError("argument of type '" + Types.name(container) + "' is not iterable");
        }
        Iterator<Object> items = Types.iterate(container);
        while (items.hasNext()) {
            if (equal(items.next(), item, budget)) {
                return true;
            }
        }
        return false;
    }
}
