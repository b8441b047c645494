package io.peft4j.jinja.support;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One format of Python's formatting language: {@code [[fill]align][sign][#][0][width][,][.precision][type]}.
 *
 * @param fill what a field is filled up with
 * @param align {@code <}, {@code >}, {@code ^} or {@code =}; 0 for the default of the value's type
 * @param sign {@code +}, {@code -} or a blank
 * @param alternate whether integers get a prefix and floats keep trailing zeros
 * @param width the least width in characters
 * @param grouping what stands between thousands; 0 for nothing
 * @param precision digits, or the greatest length of a string; -1 for the default
 * @param type the kind of presentation; 0 for the default
 */
record FormatSpec(String fill, char align, char sign, boolean alternate, int width, char grouping, int precision,
        char type) {
    private static final Pattern SYNTAX = Pattern.compile(
            "(?:(.)?([<>=^]))?([+\\- ])?(#)?(0)?([0-9]+)?([,_])?(?:\\.([0-9]+))?([a-zA-Z%])?", Pattern.DOTALL);
    private static final int MAX_SIZE = 100_000;

    /** Reads a specification such as {@code >10.2f}. */
    static FormatSpec parse(String text) {
        Matcher matcher = SYNTAX.matcher(text);
        if (!matcher.matches()) {
            throw new TemplateError("invalid format specifier '" + text + "'");
        }
        boolean zero = matcher.group(5) != null;
        String fill = matcher.group(1) != null ? matcher.group(1) : zero ? "0" : " ";
        char align = matcher.group(2) != null ? matcher.group(2).charAt(0) : zero ? '=' : 0;
        return new FormatSpec(fill, align, first(matcher.group(3), '-'), matcher.group(4) != null,
                size(matcher.group(6), 0), first(matcher.group(7), (char) 0), size(matcher.group(8), -1),
                first(matcher.group(9), (char) 0));
    }

    private static char first(String group, char otherwise) {
        return group == null ? otherwise : group.charAt(0);
    }

    /** Reads a width or precision, with a bound. */
    static int size(String digits, int otherwise) {
        if (digits == null || digits.isEmpty()) {
            return otherwise;
        }
        if (digits.length() > 6 || Integer.parseInt(digits) > MAX_SIZE) {
            throw new TemplateError("a width or precision of a format may not be larger than " + MAX_SIZE);
        }
        return Integer.parseInt(digits);
    }

    /** The value in this format. */
    String format(Object value, Budget budget) {
        String formatted;
        if (Types.text(value) != null) {
            formatted = formatText(Types.text(value));
        } else if (Types.isNumber(value) && !(value instanceof Boolean && isEmpty())) {
            formatted = formatNumber(value);
        } else if (isEmpty()) {
            formatted = PyText.str(value, budget);
        } else {
            throw new TemplateError("unsupported format string passed to " + Types.name(value) + ".__format__");
        }
        budget.chargeText(formatted.length());
        return formatted;
    }

    private boolean isEmpty() {
        return align == 0 && sign == '-' && !alternate && width == 0 && grouping == 0 && precision < 0 && type == 0;
    }

    private String formatText(String text) {
        if (type != 0 && type != 's' || align == '=' || sign != '-') {
            throw new TemplateError("this format does not fit a string");
        }
        boolean cut = precision >= 0 && PyStrings.length(text) > precision;
        return pad("", cut ? PyStrings.substring(text, 0, precision) : text, '<');
    }

    private String formatNumber(Object value) {
        boolean integer = !(value instanceof Double);
        if (integer && (type == 0 || "bcdnoxX".indexOf(type) >= 0)) {
            return formatInteger(Arithmetic.toBig(value));
        }
        if (type != 0 && "eEfFgGn%".indexOf(type) < 0) {
            throw new TemplateError("unknown format code '" + type + "' for a number");
        }
        double number = Arithmetic.toDouble(value);
        boolean negative = number < 0 || number == 0 && 1 / number < 0;
        String digits = digits(Math.abs(number));
        if (Character.isUpperCase(type)) {
            digits = digits.toUpperCase(Locale.ROOT);
        }
        return pad(signOf(negative), grouped(digits, 3), '>');
    }

    private String formatInteger(BigInteger value) {
        if (precision >= 0) {
            throw new TemplateError("precision not allowed in integer format");
        }
        if (type == 'c') {
            if (value.signum() < 0 || value.bitLength() > 21 || !Character.isValidCodePoint(value.intValue())) {
                throw new TemplateError("%c arg not in range(0x110000)");
            }
            return pad("", Character.toString(value.intValue()), '<');
        }
        int radix = switch (type) {
            case 'b' -> 2;
            case 'o' -> 8;
            case 'x', 'X' -> 16;
            default -> 10;
        };
        String digits = value.abs().toString(radix);
        String prefix = alternate && radix != 10 ? "0" + type : "";
        if (type == 'X') {
            digits = digits.toUpperCase(Locale.ROOT);
        }
        return pad(signOf(value.signum() < 0) + prefix, grouped(digits, radix == 10 ? 3 : 4), '>');
    }

    private String signOf(boolean negative) {
        return negative ? "-" : sign == '-' ? "" : String.valueOf(sign);
    }

    private String digits(double number) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            return (Double.isNaN(number) ? "nan" : "inf") + (type == '%' ? "%" : "");
        }
        return switch (Character.toLowerCase(type)) {
            case 'f' -> fixed(number, precision < 0 ? 6 : precision);
            case 'e' -> scientific(number, precision < 0 ? 6 : precision);
            case '%' -> fixed(number * 100, precision < 0 ? 6 : precision) + "%";
            case 'g', 'n' -> general(number, precision < 0 ? 6 : Math.max(1, precision), false);
            default -> precision < 0 ? PyText.number(number) : general(number, Math.max(1, precision), true);
        };
    }

    private String fixed(double number, int decimals) {
        String digits = new BigDecimal(number).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString();
        return decimals == 0 && alternate ? digits + "." : digits;
    }

    private String scientific(double number, int decimals) {
        BigDecimal rounded = round(number, decimals + 1);
        int exponent = number == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        BigDecimal mantissa = rounded.movePointLeft(exponent).setScale(decimals, RoundingMode.HALF_EVEN);
        int size = Math.abs(exponent);
        return mantissa.toPlainString() + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + size;
    }

    private String general(double number, int digits, boolean keepFraction) {
        BigDecimal rounded = round(number, digits);
        int exponent = number == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        boolean plain = exponent >= -4 && exponent < (keepFraction ? Math.max(digits - 1, 1) : digits);
        String text = plain ? fixed(number, digits - 1 - exponent) : scientific(number, digits - 1);
        if (alternate) {
            return text;
        }
        int end = text.indexOf('e') < 0 ? text.length() : text.indexOf('e');
        String mantissa = text.substring(0, end);
        if (mantissa.indexOf('.') >= 0) {
            mantissa = mantissa.replaceAll("0+$", "").replaceAll("\\.$", "");
        }
        String fraction = plain && keepFraction && mantissa.indexOf('.') < 0 ? ".0" : "";
        return mantissa + fraction + text.substring(end);
    }

    private static BigDecimal round(double number, int digits) {
        return new BigDecimal(number).round(new MathContext(digits, RoundingMode.HALF_EVEN));
    }

    private String grouped(String digits, int size) {
        if (grouping == 0) {
            return digits;
        }
        int end = 0;
        while (end < digits.length() && Character.isLetterOrDigit(digits.charAt(end)) && digits.charAt(end) != 'e') {
            end++;
        }
        StringBuilder grouped = new StringBuilder(digits);
        for (int at = end - size; at > 0; at -= size) {
            grouped.insert(at, grouping);
        }
        return grouped.toString();
    }

    private String pad(String prefix, String body, char defaultAlign) {
        int missing = width - PyStrings.length(body) - prefix.length();
        if (missing <= 0) {
            return prefix + body;
        }
        char side = align == 0 ? defaultAlign : align;
        int left = switch (side) {
            case '<' -> 0;
            case '^' -> missing / 2;
            default -> missing;
        };
        String before = fill.repeat(left);
        return (side == '=' ? prefix + before : before + prefix) + body + fill.repeat(missing - left);
    }
}
