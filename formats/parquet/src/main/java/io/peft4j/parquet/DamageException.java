package io.peft4j.parquet;

import io.peft4j.core.error.PeftException;

/** Something in a Parquet file is not as it must be; the place is added where it is known. */
final class DamageException extends PeftException {
    private static final long serialVersionUID = 1L;

    DamageException(String message) {
        super(message);
    }
}
