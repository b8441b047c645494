package io.peft4j.report.support;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** Numbers for people: 12,345, 0.0123 and 2e-5. */
public final class Numbers {
    /** From here on powers are easier to read. */
    private static final double LARGE = 1e7;
    private static final double SMALL = 1e-3;
    private static final int DIGITS = 4;
    private static final int THOUSAND = 1000;

    private Numbers() {
    }

    /** A number with 4 digits that count, or all digits before its point. */
    public static String shown(double value) {
        if (value == 0 || !Double.isFinite(value)) {
            return value == 0 ? "0" : Double.toString(value);
        }
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(DIGITS));
        double size = Math.abs(rounded.doubleValue());
        if (size >= LARGE || size < SMALL) {
            return power(rounded);
        }
        return size >= THOUSAND ? String.format(Locale.ROOT, "%,.0f", value)
                : rounded.stripTrailingZeros().toPlainString();
    }

    /** A multiple of a step, with as many digits behind its point as the step has. */
    static String rounded(double value, double step) {
        double size = Math.abs(value);
        if (size < step / 2) {
            return "0";
        }
        if (size >= LARGE || step < SMALL) {
            return power(new BigDecimal(value).round(new MathContext(DIGITS)));
        }
        int digits = (int) Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
        return String.format(Locale.ROOT, "%,." + digits + "f", value);
    }

    private static String power(BigDecimal value) {
        BigDecimal stripped = value.stripTrailingZeros();
        int exponent = stripped.precision() - stripped.scale() - 1;
        return stripped.movePointLeft(exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
    }
}
