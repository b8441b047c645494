package io.peft4j.serve.store;

import io.peft4j.core.error.PeftException;

/** The database does not do what it should: it cannot be reached, its disk is full, its schema is a newer one. */
public final class StoreException extends PeftException {
    private static final long serialVersionUID = 1L;

    StoreException(String message) {
        super(message);
    }

    StoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
