package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Expression.Operator;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Python's arithmetic on integers of 64 bits and floats, and the operators on sequences. */
final class Arithmetic {
    private static final Set<Operator> DIVISIONS = Set.of(Operator.DIVIDE, Operator.FLOOR_DIVIDE, Operator.MODULO);

    private Arithmetic() {
    }

    static Object apply(Operator operator, Object a, Object b, Runtime runtime) {
        if (operator == Operator.MODULO && a instanceof String text) {
            return PercentFormat.format(text, b, runtime);
        }
        if (Types.isNumber(a) && Types.isNumber(b)) {
            if (DIVISIONS.contains(operator) && Types.toDouble(b) == 0) {
                throw new TemplateError("division by zero");
            }
            return a instanceof Double || b instanceof Double
                    ? floats(operator, Types.toDouble(a), Types.toDouble(b))
                    : integers(operator, Types.index(a), Types.index(b));
        }
        Object result = switch (operator) {
            case ADD -> concat(a, b, runtime.budget());
            case MULTIPLY -> Types.index(b) != null ? repeat(a, Types.index(b), runtime.budget())
                    : Types.index(a) != null ? repeat(b, Types.index(a), runtime.budget()) : null;
            default -> null;
        };
        if (result == null) {
            throw a instanceof Undefined undefined ? undefined.error()
                    : b instanceof Undefined undefined ? undefined.error()
                            : new TemplateError("unsupported operand type(s) for " + operator.sign() + ": '"
                                    + Types.name(a) + "' and '" + Types.name(b) + "'");
        }
        return result;
    }

    private static Object concat(Object a, Object b, Budget budget) {
        if (a instanceof String left && b instanceof String right) {
            budget.chargeText(left.length() + (long) right.length());
            return left + right;
        }
        boolean lists = a instanceof List && b instanceof List;
        if (!lists && !(a instanceof Tuple && b instanceof Tuple)) {
            return null;
        }
        List<Object> items = new ArrayList<>(Types.sequence(a));
        items.addAll(Types.sequence(b));
        budget.charge(items.size());
        return lists ? items : Tuple.of(items);
    }

    private static Object repeat(Object value, long times, Budget budget) {
        long count = Math.max(0, times);
        if (value instanceof String text) {
            if (text.isEmpty() || count == 0) {
                return "";
            }
            budget.chargeText(count > Integer.MAX_VALUE ? Long.MAX_VALUE : text.length() * count);
            return text.repeat((int) count);
        }
        if (!(value instanceof List) && !(value instanceof Tuple)) {
            return null;
        }
        List<Object> part = Types.sequence(value);
        budget.charge(part.isEmpty() ? 0 : Math.min(count, Integer.MAX_VALUE) * part.size());
        List<Object> items = new ArrayList<>();
        for (long i = 0; i < count && !part.isEmpty(); i++) {
            items.addAll(part);
        }
        return value instanceof List ? items : Tuple.of(items);
    }

    private static Object floats(Operator operator, double a, double b) {
        return switch (operator) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case FLOOR_DIVIDE -> Math.floor((a - modulo(a, b)) / b + 0.5);
            case MODULO -> modulo(a, b);
        };
    }

    private static double modulo(double a, double b) {
        double remainder = a % b;
        if (remainder == 0) {
            return Math.copySign(0, b);
        }
        return remainder < 0 == b < 0 ? remainder : remainder + b;
    }

    private static Object integers(Operator operator, Long x, Long y) {
        if (x == null || y == null) {
            throw tooLarge();
        }
        try {
            return switch (operator) {
                case ADD -> Math.addExact(x, y);
                case SUBTRACT -> Math.subtractExact(x, y);
                case MULTIPLY -> Math.multiplyExact(x, y);
                case DIVIDE -> (double) x / y;
                case FLOOR_DIVIDE -> Math.floorDiv(x, y);
                case MODULO -> Math.floorMod(x, y);
            };
        } catch (ArithmeticException e) {
            throw tooLarge();
        }
    }

    private static TemplateError tooLarge() {
        return TemplateError.unsupported("arithmetic on integers of more than 64 bits");
    }

    /** {@code -value} or {@code +value}. */
    static Object sign(Object value, boolean negative) {
        if (value instanceof Double number) {
            return negative ? -number : number;
        }
        if (Types.isNumber(value)) {
            return integers(Operator.MULTIPLY, Types.index(value), negative ? -1L : 1L);
        }
        throw value instanceof Undefined undefined ? undefined.error() : new TemplateError(
                "bad operand type for unary " + (negative ? "-" : "+") + ": '" + Types.name(value) + "'");
    }
}
