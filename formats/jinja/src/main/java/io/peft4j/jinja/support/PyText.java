package io.peft4j.jinja.support;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;

/** Python's {@code str} and {@code repr}. */
final class PyText {
    private final Budget budget;
    private final Output out;

    private PyText(Budget budget) {
        this.budget = budget;
        this.out = new Output(budget);
    }

    /** What {@code str(value)} gives; nothing for an undefined value. */
    static String str(Object value, Budget budget) {
        if (value instanceof String text) {
            return text;
        }
        return value instanceof Undefined ? "" : repr(value, budget);
    }

    /** What {@code repr(value)} gives. */
    static String repr(Object value, Budget budget) {
        PyText writer = new PyText(budget);
        writer.write(value);
        return writer.out.toString();
    }

    private void write(Object value) {
        budget.enter();
        if (value instanceof String text) {
            out.append(quote(text));
        } else if (value instanceof List<?> list) {
            writeAll("[", list, "]");
        } else if (value instanceof Tuple tuple) {
            writeAll("(", tuple.items(), tuple.items().size() == 1 ? ",)" : ")");
        } else if (value instanceof Map<?, ?> map) {
            writeDict(map);
        } else if (value instanceof DictView view) {
            writeAll(view.kind().typeName() + "([", view.items(), "])");
        } else if (value instanceof Namespace namespace) {
            out.append("<Namespace ");
            writeDict(namespace.attributes());
            out.append(">");
        } else {
            out.append(plain(value));
        }
        budget.leave();
    }

    private void writeAll(String open, List<?> items, String close) {
        out.append(open);
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            write(item);
            separator = ", ";
        }
        out.append(close);
    }

    private void writeDict(Map<?, ?> map) {
        out.append("{");
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.append(separator);
            write(entry.getKey());
            out.append(": ");
            write(entry.getValue());
            separator = ", ";
        }
        out.append("}");
    }

    private static String plain(Object value) {
        if (value == null) {
            return "None";
        } else if (value instanceof Boolean truth) {
            return truth ? "True" : "False";
        } else if (value instanceof Double number) {
            return number(number);
        } else if (value instanceof Undefined) {
            return "Undefined";
        } else if (value instanceof IntRange range) {
            String step = range.step() == 1 ? "" : ", " + range.step();
            return "range(" + range.start() + ", " + range.stop() + step + ")";
        } else if (value instanceof LoopState loop) {
            return "<LoopContext " + loop.index() + "/" + loop.length() + ">";
        } else if (value instanceof Macro macro) {
            return "<Macro '" + macro.name() + "'>";
        } else if (value instanceof Generator) {
            return "<generator object>";
        } else if (value instanceof TemplateFunction) {
            return "<function>";
        }
        return value.toString();
    }

    /** The shortest decimal that reads back as the same double, in Python's notation. */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal exact = new BigDecimal(value);
        BigDecimal shortest = exact;
        for (int digits = 1; digits <= 17; digits++) {
            shortest = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (shortest.doubleValue() == value) {
                break;
            }
        }
        String digits = shortest.unscaledValue().abs().toString();
        int exponent = digits.length() - shortest.scale() - 1;
        digits = digits.replaceAll("0+$", "");
        return (value < 0 ? "-" : "") + layout(digits.isEmpty() ? "0" : digits, exponent);
    }

    private static String layout(String digits, int exponent) {
        if (exponent < -4 || exponent >= 16) {
            String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
            int size = Math.abs(exponent);
            return digits.charAt(0) + fraction + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + size;
        }
        if (exponent < 0) {
            return "0." + "0".repeat(-exponent - 1) + digits;
        }
        int point = exponent + 1;
        if (digits.length() <= point) {
            return digits + "0".repeat(point - digits.length()) + ".0";
        }
        return digits.substring(0, point) + "." + digits.substring(point);
    }

    private static String quote(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder quoted = new StringBuilder(text.length() + 2).append(quote);
        text.codePoints().forEach(c -> {
            if (c == quote || c == '\\') {
                quoted.append('\\').append((char) c);
            } else if (c == '\n') {
                quoted.append("\\n");
            } else if (c == '\r') {
                quoted.append("\\r");
            } else if (c == '\t') {
                quoted.append("\\t");
            } else if (isPrintable(c)) {
                quoted.appendCodePoint(c);
            } else {
                quoted.append(String.format(c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c));
            }
        });
        return quoted.append(quote).toString();
    }

    private static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED,
                    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
                false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }
}
