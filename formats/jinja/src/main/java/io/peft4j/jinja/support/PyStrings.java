package io.peft4j.jinja.support;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Python's view of a string: a sequence of code points with Python's whitespace and case rules. */
final class PyStrings {
    private PyStrings() {
    }

    /** Whether Python's {@code str.isspace} holds for a code point. */
    static boolean isSpace(int c) {
        return c == ' ' || c >= '\t' && c <= '\r' || c >= 0x1C && c <= 0x1F || c == 0x85 || c == 0xA0
                || c > 0xFF && (c == 0x1680 || c >= 0x2000 && c <= 0x200A || c == 0x2028 || c == 0x2029 || c == 0x202F
                        || c == 0x205F || c == 0x3000);
    }

    /** Whether everything from an index on is whitespace; false if nothing is there. */
    static boolean isBlank(String text, int from) {
        for (int i = from; i < text.length(); i++) {
            if (!isSpace(text.charAt(i))) {
                return false;
            }
        }
        return from < text.length();
    }

    /** The number of code points. */
    static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** The code points, each as a string. */
    static List<Object> characters(String text) {
        List<Object> characters = new ArrayList<>(text.length());
        for (int i = 0; i < text.length();) {
            int next = text.offsetByCodePoints(i, 1);
            characters.add(text.substring(i, next));
            i = next;
        }
        return characters;
    }

    /** The part from one code point index to another. */
    static String substring(String text, int from, int to) {
        int start = text.offsetByCodePoints(0, from);
        return text.substring(start, text.offsetByCodePoints(start, to - from));
    }

    /** Order by code points, which is not the order of UTF-16 units. */
    static int compare(String a, String b) {
        return Arrays.compare(a.codePoints().toArray(), b.codePoints().toArray());
    }

    static String strip(String text, String characters) {
        return stripLeft(stripRight(text, characters), characters);
    }

    /** Drops leading characters of a set, or whitespace if the set is null. */
    static String stripLeft(String text, String characters) {
        IntPredicate drop = dropped(characters);
        int start = 0;
        while (start < text.length() && drop.test(text.codePointAt(start))) {
            start += Character.charCount(text.codePointAt(start));
        }
        return text.substring(start);
    }

    /** Drops trailing characters of a set, or whitespace if the set is null. */
    static String stripRight(String text, String characters) {
        IntPredicate drop = dropped(characters);
        int end = text.length();
        while (end > 0 && drop.test(text.codePointBefore(end))) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        return text.substring(0, end);
    }

    private static IntPredicate dropped(String characters) {
        return characters == null ? PyStrings::isSpace : c -> characters.indexOf(c) >= 0;
    }

    /**
     * Python's {@code str.split}: by whitespace if the separator is null; at most {@code limit} cuts unless negative.
     */
    static List<Object> split(String text, String separator, long limit) {
        if (separator == null) {
            return splitSpace(text, limit);
        }
        List<Object> parts = new ArrayList<>();
        int start = 0;
        for (int at = text.indexOf(separator); at >= 0 && parts.size() != limit; at = text.indexOf(separator, start)) {
            parts.add(text.substring(start, at));
            start = at + separator.length();
        }
        parts.add(text.substring(start));
        return parts;
    }

    private static List<Object> splitSpace(String text, long limit) {
        List<Object> parts = new ArrayList<>();
        int start = skip(text, 0, true);
        while (start < text.length() && parts.size() != limit) {
            int end = skip(text, start, false);
            parts.add(text.substring(start, end));
            start = skip(text, end, true);
        }
        if (start < text.length()) {
            parts.add(text.substring(start));
        }
        return parts;
    }

    /** The first index at or after {@code from} that is not whitespace, or is, as asked. */
    private static int skip(String text, int from, boolean space) {
        int at = from;
        while (at < text.length() && isSpace(text.charAt(at)) == space) {
            at++;
        }
        return at;
    }

    /** Python's {@code str.replace} with at most {@code limit} replacements unless negative; charges what it makes. */
    static String replace(String text, String old, String replacement, long limit, Budget budget) {
        StringBuilder result = new StringBuilder();
        int start = 0;
        for (long n = 0; limit < 0 || n < limit; n++) {
            int at = old.isEmpty() && n > 0 ? nextCharacter(text, start) : text.indexOf(old, start);
            if (at < 0) {
                break;
            }
            result.append(text, start, at).append(replacement);
            start = at + old.length();
            budget.chargeText(replacement.length());
            budget.checkLength(result.length());
        }
        result.append(text, start, text.length());
        budget.chargeText(result.length());
        return result.toString();
    }

    private static int nextCharacter(String text, int at) {
        return at < text.length() ? text.offsetByCodePoints(at, 1) : -1;
    }

    static String upper(String text) {
        return text.toUpperCase(Locale.ROOT);
    }

    static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    /** Python's {@code str.capitalize}. */
    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int next = text.offsetByCodePoints(0, 1);
        return titleCase(text.substring(0, next)) + lower(text.substring(next));
    }

    /** Python's {@code str.title}: a letter after a non-letter is in title case, all others in lower case. */
    static String title(String text) {
        StringBuilder result = new StringBuilder();
        boolean inWord = false;
        for (int i = 0; i < text.length();) {
            int next = text.offsetByCodePoints(i, 1);
            String character = text.substring(i, next);
            result.append(inWord ? lower(character) : titleCase(character));
            inWord = isCased(text.codePointAt(i));
            i = next;
        }
        return result.toString();
    }

    private static String titleCase(String character) {
        int codePoint = character.codePointAt(0);
        String upper = upper(character);
        if (upper.codePointCount(0, upper.length()) == 1) {
            return Character.toString(Character.toTitleCase(codePoint));
        }
        int next = upper.offsetByCodePoints(0, 1);
        return upper.substring(0, next) + lower(upper.substring(next));
    }

    private static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }
}
