package io.peft4j.models.generation;

import io.peft4j.core.Internal;
import io.peft4j.core.error.PeftException;

/** An answer was not ready within the time that its request gave. */
@Internal(shared = true)
public final class AnswerTimeoutException extends PeftException {
    private static final long serialVersionUID = 1L;

    /**
     * An exception.
     *
     * @param message how long the request had, and how far the answer came
     */
    public AnswerTimeoutException(String message) {
        super(message);
    }
}
