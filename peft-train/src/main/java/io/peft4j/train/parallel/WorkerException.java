package io.peft4j.train.parallel;

import io.peft4j.core.Internal;
import io.peft4j.core.error.PeftException;

/** Another worker of a training is gone, does not answer, or trains something else; the message names it. */
@Internal(shared = true)
public final class WorkerException extends PeftException {
    private static final long serialVersionUID = 1L;

    private final boolean told;

    /** @param message which worker, and what to do */
    public WorkerException(String message) {
        super(message);
        told = false;
    }

    /**
     * With the exception that led to it.
     *
     * @param message which worker, and what to do
     * @param cause what was thrown
     */
    public WorkerException(String message, Throwable cause) {
        super(message, cause);
        told = false;
    }

    private WorkerException(String message, boolean told) {
        super(message);
        this.told = told;
    }

    /** That another worker has said that it gives up. */
    static WorkerException gaveUp(String worker, String reason) {
        return new WorkerException(worker + " gave up: " + reason, true);
    }

    /** Whether another worker said that it gives up, and why; it has the failure that led to this one. */
    public boolean isTold() {
        return told;
    }
}
