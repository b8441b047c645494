package io.peft4j.jinja.support;

/** A template that cannot be parsed, with the line; {@link JinjaTemplate} turns it into its public exception. */
final class SyntaxError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int line;

    SyntaxError(int line, String message) {
        super(message);
        this.line = line;
    }

    int line() {
        return line;
    }
}
