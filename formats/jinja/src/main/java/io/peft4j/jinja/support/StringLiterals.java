package io.peft4j.jinja.support;

/** Resolves the backslash escapes of a Python string literal. */
final class StringLiterals {
    private static final int MAX_CODE_POINT = 0x10FFFF;

    private final String raw;
    private final int line;
    private final StringBuilder text = new StringBuilder();
    private int at;

    private StringLiterals(String raw, int line) {
        this.raw = raw;
        this.line = line;
    }

    /**
     * The text that a literal stands for. An unknown escape stays as it is, as in Python.
     *
     * @param raw what stands between the quotes
     * @throws SyntaxError if an escape is incomplete or names no character
     */
    static String unescape(String raw, int line) {
        return raw.indexOf('\\') < 0 ? raw : new StringLiterals(raw, line).run();
    }

    private String run() {
        while (at < raw.length()) {
            char c = raw.charAt(at++);
            if (c == '\\') {
                escape(raw.charAt(at++));
            } else {
                text.append(c);
            }
        }
        return text.toString();
    }

    private void escape(char kind) {
        switch (kind) {
            case '\n' -> {
            }
            case '\\', '\'', '"' -> text.append(kind);
            case 'n' -> text.append('\n');
            case 't' -> text.append('\t');
            case 'r' -> text.append('\r');
            case 'a' -> text.append('\u0007');
            case 'b' -> text.append('\b');
            case 'f' -> text.append('\f');
            case 'v' -> text.append('\u000B');
            case 'x' -> hexadecimal(2);
            case 'u' -> hexadecimal(4);
            case 'U' -> hexadecimal(8);
            case 'N', '0', '1', '2', '3', '4', '5', '6', '7' -> throw new SyntaxError(line, "the escape \\" + kind
                    + " is not supported in chat templates");
            default -> text.append('\\').append(kind);
        }
    }

    private void hexadecimal(int digits) {
        int end = at + digits;
        long value = 0;
        for (; at < end; at++) {
            int digit = at < raw.length() ? Character.digit(raw.charAt(at), 16) : -1;
            if (digit < 0) {
                throw new SyntaxError(line, "an escape in a string needs " + digits + " hexadecimal digits");
            }
            value = value * 16 + digit;
        }
        if (value > MAX_CODE_POINT) {
            throw new SyntaxError(line, "an escape in a string names no character");
        }
        text.appendCodePoint((int) value);
    }
}
