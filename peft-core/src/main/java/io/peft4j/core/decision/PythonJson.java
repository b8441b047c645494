package io.peft4j.core.decision;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Comparator;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** JSON as Python's {@code json.dumps} writes it with non-ASCII kept, which is how models have seen it. */
@Internal(shared = true)
public final class PythonJson {
    /** As many tell all doubles apart. */
    private static final int MOST_DIGITS = 17;

    private final StringBuilder out = new StringBuilder();

    private PythonJson() {
    }

    /** A text as it is, nothing for null, and all else as JSON. */
    public static String text(JsonNode value) {
        if (value.isNull() || value.isMissingNode()) {
            return "";
        }
        if (value.isTextual()) {
            return value.textValue();
        }
        PythonJson json = new PythonJson();
        json.write(value);
        return json.out.toString();
    }

    private void write(JsonNode value) {
        if (value.isObject()) {
            out.append('{');
            Iterator<Map.Entry<String, JsonNode>> fields = value.fields();
            while (fields.hasNext()) {
                Map.Entry<String, JsonNode> field = fields.next();
                string(field.getKey());
                out.append(": ");
                write(field.getValue());
                out.append(fields.hasNext() ? ", " : "");
            }
            out.append('}');
        } else if (value.isArray()) {
            out.append('[');
            for (int i = 0; i < value.size(); i++) {
                out.append(i > 0 ? ", " : "");
                write(value.get(i));
            }
            out.append(']');
        } else if (value.isTextual()) {
            string(value.textValue());
        } else {
            out.append(value.isFloatingPointNumber() ? number(value.doubleValue()) : value.asText());
        }
    }

    /** A float as Python's {@code repr} has it, the shortest digits that mean it; infinite ones by their names. */
    private static String number(double value) {
        if (value == 0 || Double.isInfinite(value) || Double.isNaN(value)) {
            return String.valueOf(value);
        }
        BigDecimal digits = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        // Before Java 19 there may be a digit too many.
        Optional<BigDecimal> shorter = nearest(value, Math.min(MOST_DIGITS, digits.precision()));
        while (shorter.isPresent()) {
            digits = shorter.get().stripTrailingZeros();
            shorter = nearest(value, digits.precision() - 1);
        }
        int exponent = digits.precision() - digits.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = digits.toPlainString();
            return plain.contains(".") ? plain : plain + ".0";
        }
        String mantissa = digits.scaleByPowerOfTen(-exponent).toPlainString();
        return String.format(Locale.ROOT, "%se%s%02d", mantissa, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    /** Of the decimals of so many digits that are read as a value, the nearest to it. */
    private static Optional<BigDecimal> nearest(double value, int digits) {
        BigDecimal exact = new BigDecimal(value);
        return digits == 0 ? Optional.empty() : Stream.of(RoundingMode.FLOOR, RoundingMode.CEILING)
                .map(mode -> exact.round(new MathContext(digits, mode)))
                .filter(rounded -> rounded.doubleValue() == value)
                .min(Comparator.comparing(rounded -> rounded.subtract(exact).abs()));
    }

    private void string(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < ' ') {
                        out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
