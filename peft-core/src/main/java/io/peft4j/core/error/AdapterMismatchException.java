package io.peft4j.core.error;

import io.peft4j.core.Internal;

/**
 * An adapter does not fit: it was made for another base model, keys are missing or left over, or shapes differ. The
 * message lists all mismatches that were found, not only the first.
 */
@Internal
public final class AdapterMismatchException extends PeftException {
    private static final long serialVersionUID = 1L;

    /**
     * An exception without a cause.
     *
     * @param message what was asked, what exists, what to change
     */
    public AdapterMismatchException(String message) {
        super(message);
    }

    /**
     * An exception with the exception that led to it.
     *
     * @param message what was asked, what exists, what to change
     * @param cause the exception that led to this one
     */
    public AdapterMismatchException(String message, Throwable cause) {
        super(message, cause);
    }
}
