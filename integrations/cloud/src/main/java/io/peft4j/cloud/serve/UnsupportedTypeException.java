package io.peft4j.cloud.serve;

import io.peft4j.core.error.PeftException;

/** A request has a content type that is not answered. */
final class UnsupportedTypeException extends PeftException {
    private static final long serialVersionUID = 1;

    UnsupportedTypeException(String message) {
        super(message);
    }
}
