package io.peft4j.eval.metric;

import java.util.Locale;

/**
 * Whether an answer holds a fact: the fact's text occurs in it, upper and lower case being the same and any white space
 * counting as one space. Numbers are whole: {@code 90-day} is not in {@code 190-day} nor in {@code 1.90-day}, and
 * {@code budget of 90} is in neither {@code budget of 900} nor {@code budget of 90.5}.
 */
public final class FactMatcher {
    private FactMatcher() {
    }

    /** Whether {@code answer} contains {@code fact}. */
    public static boolean contains(String answer, String fact) {
        String text = normalize(answer);
        String sought = normalize(fact);
        if (sought.isEmpty()) {
            throw new IllegalArgumentException("the fact is empty, so every answer would hold it");
        }
        for (int at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + 1)) {
            if (!cutsNumber(text, at) && !cutsNumber(text, at + sought.length())) {
                return true;
            }
        }
        return false;
    }

    private static String normalize(String text) {
        // Non-breaking spaces and hyphens are how models typeset numbers with units.
        return text.replace('\u00a0', ' ').replace('\u202f', ' ').replace('\u2011', '-').strip()
                .replaceAll("\\s+", " ").toLowerCase(Locale.ROOT);
    }

    /**
     * Whether the border before {@code at} lies inside a number: between digits, or between a digit and its separator.
     */
    private static boolean cutsNumber(String text, int at) {
        if (!isDigit(text, at) && !isDigit(text, at - 1)) {
            return false;
        }
        boolean between = isDigit(text, at) && isDigit(text, at - 1);
        boolean afterSeparator = isDigit(text, at) && isSeparator(text, at - 1) && isDigit(text, at - 2);
        boolean beforeSeparator = isDigit(text, at - 1) && isSeparator(text, at) && isDigit(text, at + 1);
        return between || afterSeparator || beforeSeparator;
    }

    private static boolean isDigit(String text, int at) {
        return at >= 0 && at < text.length() && Character.isDigit(text.charAt(at));
    }

    private static boolean isSeparator(String text, int at) {
        return at >= 0 && at < text.length() && (text.charAt(at) == '.' || text.charAt(at) == ',');
    }
}
