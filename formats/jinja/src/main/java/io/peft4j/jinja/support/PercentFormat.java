package io.peft4j.jinja.support;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code text % values}. */
final class PercentFormat {
    private static final Pattern DIRECTIVE = Pattern.compile(
            "%(?:\\(([^)]*)\\))?([#0\\- +]*)(\\*|[0-9]*)(?:\\.(\\*|[0-9]*))?[hlL]?(.)?", Pattern.DOTALL);

    private final Object values;
    private final List<Object> positional;
    private final Budget budget;
    private int used;

    private PercentFormat(Object values, Budget budget) {
        this.values = values;
        this.positional = values instanceof Tuple tuple ? tuple.items() : Collections.singletonList(values);
        this.budget = budget;
    }

    /** Formats one value, or the values of a tuple or dict. */
    static String format(String text, Object values, Budget budget) {
        return new PercentFormat(values, budget).run(text);
    }

    private String run(String text) {
        Output out = new Output(budget);
        Matcher matcher = DIRECTIVE.matcher(text);
        int start = 0;
        while (matcher.find(start)) {
            out.append(text.substring(start, matcher.start()));
            out.append(directive(matcher));
            start = matcher.end();
        }
        out.append(text.substring(start));
        if (used < positional.size() && !(values instanceof Map) && !(values instanceof List)) {
            throw new TemplateError("not all arguments converted during string formatting");
        }
        return out.toString();
    }

    private String directive(Matcher matcher) {
        if (matcher.group(5) == null) {
            throw new TemplateError("incomplete format");
        }
        char type = matcher.group(5).charAt(0);
        if (type == '%') {
            return "%";
        }
        String flags = matcher.group(2);
        int width = size(matcher.group(3), 0);
        int precision = matcher.group(4) == null ? -1 : size(matcher.group(4), 0);
        Object value = matcher.group(1) == null ? next() : named(matcher.group(1));
        boolean left = flags.indexOf('-') >= 0;
        boolean zero = flags.indexOf('0') >= 0 && !left && "sraoc".indexOf(type) < 0;
        char sign = flags.indexOf('+') >= 0 ? '+' : flags.indexOf(' ') >= 0 ? ' ' : '-';
        return switch (type) {
            case 's' -> text(PyText.str(value, budget), left, width, precision);
            case 'r', 'a' -> text(PyText.repr(value, budget), left, width, precision);
            case 'c' -> Types.text(value) != null ? text(Types.text(value), left, width, -1)
                    : new FormatSpec(" ", left ? '<' : '>', '-', false, width, (char) 0, -1, 'c').format(
                            number(value, type), budget);
            case 'd', 'i', 'u', 'x', 'X', 'o' -> new FormatSpec(zero ? "0" : " ", left ? '<' : zero ? '=' : '>', sign,
                    flags.indexOf('#') >= 0, width, (char) 0, -1, "xXo".indexOf(type) >= 0 ? type : 'd').format(
                            integer(value, type), budget);
            case 'e', 'E', 'f', 'F', 'g', 'G' -> new FormatSpec(zero ? "0" : " ", left ? '<' : zero ? '=' : '>', sign,
                    flags.indexOf('#') >= 0, width, (char) 0, precision, type).format(
                            Arithmetic.toDouble(number(value, type)), budget);
            default -> throw new TemplateError("unsupported format character '" + type + "'");
        };
    }

    private String text(String value, boolean left, int width, int precision) {
        return new FormatSpec(" ", left ? '<' : '>', '-', false, width, (char) 0, precision, 's').format(value, budget);
    }

    private int size(String group, int otherwise) {
        if (!group.equals("*")) {
            return FormatSpec.size(group, otherwise);
        }
        Long value = Types.index(next());
        if (value == null || value < 0) {
            throw new TemplateError("* wants a positive integer");
        }
        return FormatSpec.size(Long.toString(value), otherwise);
    }

    private Object next() {
        if (used >= positional.size()) {
            throw new TemplateError("not enough arguments for format string");
        }
        return positional.get(used++);
    }

    private Object named(String name) {
        if (!(values instanceof Map<?, ?> map)) {
            throw new TemplateError("format requires a mapping");
        }
        if (!map.containsKey(name)) {
            throw new TemplateError("the format names '" + name + "', which is not in the mapping");
        }
        return map.get(name);
    }

    private static Object number(Object value, char type) {
        if (!Types.isNumber(value)) {
            throw value instanceof Undefined undefined ? undefined.error() : new TemplateError("%" + type
                    + " format: a real number is required, not " + Types.name(value));
        }
        return value;
    }

    private static Object integer(Object value, char type) {
        Object number = number(value, type);
        if (!(number instanceof Double real)) {
            return number;
        }
        if (type != 'd' && type != 'i' && type != 'u' || Double.isNaN(real) || Double.isInfinite(real)) {
            throw new TemplateError("%" + type + " format: an integer is required, not float");
        }
        return Arithmetic.integer(new BigDecimal(real).toBigInteger());
    }
}
