package io.peft4j.core.error;

import io.peft4j.core.Internal;

/**
 * The target modules of an adapter do not fit the model: nothing matched, everything was excluded, or a matched module
 * is of a kind that the method cannot adapt.
 */
@Internal(shared = true)
public final class TargetModuleException extends PeftException {
    private static final long serialVersionUID = 1L;

    /**
     * An exception without a cause.
     *
     * @param message what was asked, what exists, what to change
     */
    public TargetModuleException(String message) {
        super(message);
    }

    /**
     * An exception with the exception that led to it.
     *
     * @param message what was asked, what exists, what to change
     * @param cause the exception that led to this one
     */
    public TargetModuleException(String message, Throwable cause) {
        super(message, cause);
    }
}
