package io.peft4j.eval.metric;

import java.util.ArrayList;
import java.util.List;

/**
 * White space and word characters as Python's {@code str} and {@code re} have them: the reference implementations are
 * written in Python, and Java's own classes differ in some characters (no-break spaces, combining marks).
 */
final class PythonText {
    private PythonText() {
    }

    /** As {@code str.isspace} for one character. */
    static boolean isSpace(int c) {
        return c == ' ' || c >= 0x09 && c <= 0x0d || c >= 0x1c && c <= 0x1f || c == 0x85 || c == 0xa0 || c == 0x1680
                || c >= 0x2000 && c <= 0x200a || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f
                || c == 0x3000;
    }

    /** As {@code \w} in {@code re}: letters, everything numeric, and the underscore; no combining marks. */
    static boolean isWord(int c) {
        int type = Character.getType(c);
        return c == '_' || Character.isLetter(c) || type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.LETTER_NUMBER || type == Character.OTHER_NUMBER;
    }

    /** As {@code str.split()}: the parts between any white space, none of them empty. */
    static List<String> split(String text) {
        List<String> parts = new ArrayList<>();
        int begin = -1;
        for (int i = 0; i < text.length(); i++) {
            boolean space = isSpace(text.charAt(i));
            if (space && begin >= 0) {
                parts.add(text.substring(begin, i));
                begin = -1;
            } else if (!space && begin < 0) {
                begin = i;
            }
        }
        if (begin >= 0) {
            parts.add(text.substring(begin));
        }
        return parts;
    }

    /** As {@code str.rstrip()}. */
    static String stripEnd(String text) {
        int end = text.length();
        while (end > 0 && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end);
    }
}
