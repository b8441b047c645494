package io.peft4j.jinja.support;

/**
 * One token of a template.
 *
 * @param type its kind
 * @param text the data, the name, the unescaped string or the digits; empty for operators
 * @param line its line, counted from 1
 */
record Token(TokenType type, String text, int line) {
    /** Whether this is the given name (a keyword of Jinja is just a name). */
    boolean isName(String name) {
        return type == TokenType.NAME && text.equals(name);
    }

    /** The token in words, for error messages. */
    String describe() {
        return switch (type) {
            case NAME, INTEGER, FLOAT -> "'" + text + "'";
            case STRING -> "the string '" + text + "'";
            default -> type.description();
        };
    }
}
