package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Expression.Operator;
import io.peft4j.jinja.support.Runtime.Filter;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Filters on numbers. */
final class NumberFilters {
    private static final Pattern FLOAT = Pattern.compile(
            "[+-]?(?:\\d+(?:_\\d+)*\\.?(?:\\d+(?:_\\d+)*)?|\\.\\d+(?:_\\d+)*)(?:[eE][+-]?\\d+(?:_\\d+)*)?");
    private static final Pattern NO_NUMBER = Pattern.compile("([+-]?)(inf|infinity|nan)", Pattern.CASE_INSENSITIVE);
    private static final int MAX_DIGITS = 4000;
    private static final int MAX_PRECISION = 400;

    private NumberFilters() {
    }

    static void register(Map<String, Filter> filters) {
        filters.put("int", (runtime, value, arguments) -> {
            Arguments.Bound bound = arguments.bind("int", 0, "default", "base");
            Object number = toInteger(value, bound.integer(1, 10));
            return number == null ? bound.get(0, 0L) : number;
        });
        filters.put("float", (runtime, value, arguments) -> {
            Arguments.Bound bound = arguments.bind("float", 0, "default");
            Double number = toFloat(value);
            return number == null ? bound.get(0, 0.0) : number;
        });
        filters.put("abs", (runtime, value, arguments) -> {
            arguments.bind("abs", 0);
            boolean negative = value instanceof Double number ? number < 0 || 1 / number < 0
                    : Types.isNumber(value) && Arithmetic.toBig(value).signum() < 0;
            return Arithmetic.sign(value, negative);
        });
        filters.put("round", NumberFilters::round);
        filters.put("sum", (runtime, value, arguments) -> {
            Arguments.Bound bound = arguments.bind("sum", 0, "attribute", "start");
            Attributes attributes = Attributes.one(bound.get(0, null));
            Object total = bound.get(1, 0L);
            for (Object item : runtime.items(value)) {
                total = Arithmetic.apply(Operator.ADD, total, attributes.of(item), runtime);
            }
            return total;
        });
    }

    private static Object toInteger(Object value, long base) {
        String text = Types.text(value);
        if (text != null) {
            Object number = parseInteger(PyStrings.strip(text, null), base);
            return number != null ? number : truncate(toFloat(text));
        }
        return value instanceof Double number ? truncate(number)
                : value instanceof Boolean || Types.isInteger(value) ? Arithmetic.sign(value, false)
                        : truncate(toFloat(value));
    }

    private static Object truncate(Double number) {
        if (number == null || Double.isNaN(number) || Double.isInfinite(number)) {
            return null;
        }
        return Arithmetic.integer(new BigDecimal(number).toBigInteger());
    }

    private static Object parseInteger(String text, long base) {
        if (base != 0 && (base < 2 || base > 36)) {
            throw new TemplateError("int() base must be >= 2 and <= 36, or 0");
        }
        String digits = text.toLowerCase(Locale.ROOT);
        boolean negative = digits.startsWith("-");
        digits = negative || digits.startsWith("+") ? digits.substring(1) : digits;
        long radix = base == 0 ? 10 : base;
        for (Map.Entry<String, Long> prefix : Map.of("0x", 16L, "0o", 8L, "0b", 2L).entrySet()) {
            if (digits.startsWith(prefix.getKey()) && (base == 0 || base == prefix.getValue())) {
                digits = digits.substring(2);
                radix = prefix.getValue();
            }
        }
        boolean wellFormed = digits.length() <= MAX_DIGITS && digits.matches("[0-9a-z]+(_[0-9a-z]+)*");
        digits = digits.replace("_", "");
        int bound = (int) radix;
        if (!wellFormed || digits.chars().anyMatch(c -> Character.digit(c, bound) < 0)) {
            return null;
        }
        BigInteger number = new BigInteger(digits, bound);
        return Arithmetic.integer(negative ? number.negate() : number);
    }

    /** Python's {@code float(value)}; null where that fails. */
    private static Double toFloat(Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (Types.isNumber(value)) {
            return Arithmetic.toDouble(value);
        }
        String text = Types.text(value);
        if (text == null || text.length() > MAX_DIGITS) {
            return null;
        }
        String trimmed = PyStrings.strip(text, null);
        Matcher special = NO_NUMBER.matcher(trimmed);
        if (special.matches()) {
            double size = special.group(2).equalsIgnoreCase("nan") ? Double.NaN : Double.POSITIVE_INFINITY;
            return special.group(1).equals("-") ? -size : size;
        }
        return FLOAT.matcher(trimmed).matches() ? Double.valueOf(trimmed.replace("_", "")) : null;
    }

    private static Object round(Runtime runtime, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("round", 0, "precision", "method");
        int precision = (int) Math.max(-MAX_PRECISION, Math.min(MAX_PRECISION, bound.integer(0, 0)));
        String method = bound.text(1, "common");
        if (!Types.isNumber(value)) {
            throw value instanceof Undefined undefined ? undefined.error()
                    : new TemplateError("round needs a number, not " + Types.name(value));
        }
        RoundingMode mode = switch (method) {
            case "common" -> RoundingMode.HALF_EVEN;
            case "ceil" -> RoundingMode.CEILING;
            case "floor" -> RoundingMode.FLOOR;
            default -> throw new TemplateError("the method of round must be common, ceil or floor");
        };
        if (!method.equals("common")) {
            double scale = Math.pow(10, precision);
            double scaled = Arithmetic.toDouble(value) * scale;
            if (Double.isNaN(scaled) || Double.isInfinite(scaled)) {
                throw new TemplateError("cannot convert float NaN or infinity to integer");
            }
            return new BigDecimal(scaled).setScale(0, mode).doubleValue() / scale;
        }
        if (value instanceof Double number) {
            return Double.isNaN(number) || Double.isInfinite(number) ? number
                    : new BigDecimal(number).setScale(precision, mode).doubleValue();
        }
        BigDecimal whole = new BigDecimal(Arithmetic.toBig(value));
        return Arithmetic.integer(whole.setScale(Math.min(0, precision), mode).toBigInteger());
    }
}
