package io.peft4j.core.error;

import org.jspecify.annotations.Nullable;

/**
 * The base of all exceptions that this library throws for a mistake in what it was given: a configuration, a file, a
 * data row, the name of a model. It is never thrown itself.
 */
public abstract class PeftException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * An exception without a cause.
     *
     * @param message what was asked, what exists, what to change
     */
    protected PeftException(String message) {
        super(message);
    }

    /**
     * An exception with the exception that led to it.
     *
     * @param message what was asked, what exists, what to change
     * @param cause the exception that led to this one, or null for none
     */
    protected PeftException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
