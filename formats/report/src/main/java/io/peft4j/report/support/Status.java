package io.peft4j.report.support;

import java.util.Locale;

/** What a colour says. */
public enum Status {
    /** Better, right: green. */
    GOOD,
    /** Worse, wrong, an error: red. */
    BAD,
    /** Not known, or to be looked at: amber. */
    OPEN,
    /** Nothing: the colour of what surrounds it. */
    PLAIN;

    /** The tone of a difference by its interval. */
    public static Status ofInterval(double low, double high) {
        return low > 0 ? GOOD : high < 0 ? BAD : OPEN;
    }

    String css() {
        return name().toLowerCase(Locale.ROOT);
    }
}
