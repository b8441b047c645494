package io.peft4j.models.template;

import io.peft4j.core.error.PeftException;

/** A template that cannot be parsed, with the line; {@link JinjaChatTemplate} turns it into its public exception. */
final class SyntaxError extends PeftException {
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
