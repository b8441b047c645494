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
        String left = Types.text(a);
        if (left != null) {
            return left.equals(Types.text(b));
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
        String left = Types.text(a);
        String right = Types.text(b);
        if (left != null && right != null) {
            return PyStrings.compare(left, right);
        }
        if (a instanceof List && b instanceof List || a instanceof Tuple && b instanceof Tuple) {
            return compareItems(Types.sequence(a), Types.sequence(b), operator, budget);
        }
        if (a instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (b instanceof Undefined undefined) {
            throw undefined.error();
        }
        throw new TemplateError("'" + operator + "' not supported between instances of '" + Types.name(a) + "' and '"
                + Types.name(b) + "'");
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
        if (a instanceof Double || b instanceof Double) {
            double x = Arithmetic.toDouble(a);
            double y = Arithmetic.toDouble(b);
            if (Double.isNaN(x) || Double.isNaN(y)) {
                return UNORDERED;
            }
            if (Double.isInfinite(x) || Double.isInfinite(y)) {
                return Double.compare(x, y);
            }
            return decimal(a).compareTo(decimal(b));
        }
        return Arithmetic.toBig(a).compareTo(Arithmetic.toBig(b));
    }

    private static BigDecimal decimal(Object number) {
        return number instanceof Double value ? new BigDecimal(value) : new BigDecimal(Arithmetic.toBig(number));
    }

    /** What {@code item in container} gives. */
    static boolean contains(Object container, Object item, Budget budget) {
        String text = Types.text(container);
        if (text != null) {
            String part = Types.text(item);
            if (part == null) {
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
