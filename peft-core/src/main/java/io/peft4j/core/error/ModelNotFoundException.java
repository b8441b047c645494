package io.peft4j.core.error;

import io.peft4j.core.Internal;

/**
 * A model cannot be found under the name that was given: neither as a folder nor as a file, nor in the cache, nor in
 * any place that was asked. The message lists the places.
 */
@Internal(shared = true)
public final class ModelNotFoundException extends PeftException {
    private static final long serialVersionUID = 1L;

    /**
     * An exception without a cause.
     *
     * @param message what was asked, what exists, what to change
     */
    public ModelNotFoundException(String message) {
        super(message);
    }

    /**
     * An exception with the exception that led to it.
     *
     * @param message what was asked, what exists, what to change
     * @param cause the exception that led to this one
     */
    public ModelNotFoundException(String message, Throwable cause) {
        super(message, cause);
    }
}
