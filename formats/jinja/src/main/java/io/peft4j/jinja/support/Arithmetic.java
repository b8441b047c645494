package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Expression.Operator;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Python's arithmetic: integers without bound (up to a limit of this class), floats, and the operators on sequences.
 */
final class Arithmetic {
    /** Larger integers are refused, so that a power cannot use up time and memory. */
    private static final int MAX_BITS = 20_000;
    private static final Set<Operator> DIVISIONS = Set.of(Operator.DIVIDE, Operator.FLOOR_DIVIDE, Operator.MODULO);
    private static final BigInteger MIN_LONG = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MAX_LONG = BigInteger.valueOf(Long.MAX_VALUE);

    private Arithmetic() {
    }

    /** Applies an operator. */
    static Object apply(Operator operator, Object a, Object b, Runtime runtime) {
        if (operator == Operator.MODULO && Types.text(a) != null) {
            return PercentFormat.format(Types.text(a), b, runtime.budget());
        }
        if (Types.isNumber(a) && Types.isNumber(b)) {
            return a instanceof Double || b instanceof Double ? floats(operator, toDouble(a), toDouble(b))
                    : integers(operator, a, b);
        }
        Object result = switch (operator) {
            case ADD -> concat(a, b, runtime.budget());
            case MULTIPLY -> Types.index(b) != null ? repeat(a, Types.index(b), runtime.budget())
                    : Types.index(a) != null ? repeat(b, Types.index(a), runtime.budget()) : null;
            default -> null;
        };
        if (result == null) {
            throw unsupported(operator, a, b);
        }
        return result;
    }

    private static TemplateError unsupported(Operator operator, Object a, Object b) {
        if (a instanceof Undefined undefined) {
            return undefined.error();
        }
        if (b instanceof Undefined undefined) {
            return undefined.error();
        }
        return new TemplateError("unsupported operand type(s) for " + operator.sign() + ": '" + Types.name(a)
                + "' and '" + Types.name(b) + "'");
    }

    private static Object concat(Object a, Object b, Budget budget) {
        String left = Types.text(a);
        String right = Types.text(b);
        if (left != null && right != null) {
            if (a instanceof Markup || b instanceof Markup) {
                String joined = Markup.escape(a, budget).text() + Markup.escape(b, budget).text();
                budget.chargeText(joined.length());
                return new Markup(joined);
            }
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
        String text = Types.text(value);
        if (text != null) {
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
        if (DIVISIONS.contains(operator) && b == 0) {
            throw new TemplateError("division by zero");
        }
        return switch (operator) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case FLOOR_DIVIDE -> Math.floor((a - floatModulo(a, b)) / b + 0.5);
            case MODULO -> floatModulo(a, b);
            case POWER -> power(a, b);
        };
    }

    private static double floatModulo(double a, double b) {
        double remainder = a % b;
        if (remainder == 0) {
            return Math.copySign(0, b);
        }
        return remainder < 0 == b < 0 ? remainder : remainder + b;
    }

    private static double power(double a, double b) {
        if (a == 0 && b < 0) {
            throw new TemplateError("0.0 cannot be raised to a negative power");
        }
        double result = Math.pow(a, b);
        if (Double.isNaN(result) && !Double.isNaN(a) && !Double.isNaN(b)) {
            throw new TemplateError("a negative number to a fractional power is a complex number");
        }
        if (Double.isInfinite(result) && !Double.isInfinite(a) && !Double.isInfinite(b)) {
            throw new TemplateError("the result of ** is too large");
        }
        return result;
    }

    private static Object integers(Operator operator, Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            Long quick = quick(operator, x, y);
            if (quick != null) {
                return quick;
            }
        }
        BigInteger x = toBig(a);
        BigInteger y = toBig(b);
        if (DIVISIONS.contains(operator) && y.signum() == 0) {
            throw new TemplateError("division by zero");
        }
        return switch (operator) {
            case ADD -> integer(x.add(y));
            case SUBTRACT -> integer(x.subtract(y));
            case MULTIPLY -> integer(x.multiply(y));
            case DIVIDE -> new BigDecimal(x).divide(new BigDecimal(y), MathContext.DECIMAL128).doubleValue();
            case FLOOR_DIVIDE -> integer(floorDivide(x, y));
            case MODULO -> integer(x.subtract(floorDivide(x, y).multiply(y)));
            case POWER -> integerPower(x, y);
        };
    }

    /** The result where it fits a long and is not a division; null otherwise. */
    private static Long quick(Operator operator, long x, long y) {
        boolean small = Math.abs(x) < 1L << 30 && Math.abs(y) < 1L << 30;
        if (!small) {
            return null;
        }
        return switch (operator) {
            case ADD -> x + y;
            case SUBTRACT -> x - y;
            case MULTIPLY -> x * y;
            default -> null;
        };
    }

    private static BigInteger floorDivide(BigInteger x, BigInteger y) {
        BigInteger[] parts = x.divideAndRemainder(y);
        return parts[1].signum() != 0 && parts[1].signum() != y.signum() ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }

    private static Object integerPower(BigInteger x, BigInteger y) {
        if (y.signum() < 0) {
            return power(x.doubleValue(), y.doubleValue());
        }
        if (y.bitLength() > 31 || (long) x.bitLength() * y.longValue() > MAX_BITS && x.bitLength() > 1) {
            if (x.bitLength() > 1) {
                throw new TemplateError("the result of ** is too large");
            }
            return integer(x.pow(y.testBit(0) ? 1 : 2));
        }
        return integer(x.pow(y.intValueExact()));
    }

    /** The smallest form of an integer: Long where it fits. */
    static Object integer(BigInteger value) {
        if (value.compareTo(MIN_LONG) >= 0 && value.compareTo(MAX_LONG) <= 0) {
            return value.longValue();
        }
        if (value.bitLength() > MAX_BITS) {
            throw new TemplateError("an integer of more than " + MAX_BITS + " bits");
        }
        return value;
    }

    /** {@code -value} or {@code +value}. */
    static Object sign(Object value, boolean negative) {
        if (value instanceof Double number) {
            return negative ? -number : number;
        }
        if (!Types.isNumber(value)) {
            throw value instanceof Undefined undefined ? undefined.error() : new TemplateError(
                    "bad operand type for unary " + (negative ? "-" : "+") + ": '" + Types.name(value) + "'");
        }
        BigInteger number = toBig(value);
        return integer(negative ? number.negate() : number);
    }

    /** An integer or boolean as a big integer. */
    static BigInteger toBig(Object number) {
        return number instanceof BigInteger big ? big : BigInteger.valueOf(Types.index(number));
    }

    /** Any number as a double. */
    static double toDouble(Object number) {
        if (number instanceof Double value) {
            return value;
        }
        return toBig(number).doubleValue();
    }
}
