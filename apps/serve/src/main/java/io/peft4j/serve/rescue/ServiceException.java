package io.peft4j.serve.rescue;

import io.peft4j.core.error.PeftException;

/** A service that refuses something, or does not answer. */
final class ServiceException extends PeftException {
    private static final long serialVersionUID = 1L;
    private final int status;

    /** @param status HTTP's status; 0 where nothing was answered */
    ServiceException(int status, String message) {
        super(message);
        this.status = status;
    }

    /** HTTP's status; 0 where nothing was answered. */
    public int status() {
        return status;
    }
}
