package io.peft4j.models.generation;

import io.peft4j.core.Internal;
import io.peft4j.core.error.PeftException;
import java.time.Duration;

/** An {@link AnswerService} has as many requests waiting as it takes; the caller may try again later. */
@Internal(shared = true)
public final class OverloadedException extends PeftException {
    private static final long serialVersionUID = 1L;

    private final Duration retryAfter;

    /**
     * An exception.
     *
     * @param message what is full
     * @param retryAfter when there is likely to be room
     */
    public OverloadedException(String message, Duration retryAfter) {
        super(message);
        this.retryAfter = retryAfter;
    }

    /** When there is likely to be room: at least a second. */
    public Duration retryAfter() {
        return retryAfter;
    }
}
