package io.peft4j.models.template;

/** A template that cannot be parsed, with the line; {@link JinjaChatTemplate} turns it into its public exception. */
final class SyntaxError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int line;

    SyntaxError(int line, String message) {
        super(message, null, false, false);
        this.line = line;
    }

    int line() {
        return line;
    }
}
