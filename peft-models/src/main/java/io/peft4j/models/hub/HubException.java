package io.peft4j.models.hub;

import java.io.IOException;
import java.time.Duration;

/** The hub did not give what was asked. The message is a clause that says why. */
final class HubException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Kind kind;
    private final Duration wait;

    /** What went wrong, as far as it matters for another try. */
    enum Kind {
        /** The hub has no such model, revision or file. */
        ABSENT,
        /** The same request will fail again. */
        FINAL,
        /** The hub is there but cannot answer now. */
        BUSY,
        /** The hub cannot be reached, or the connection broke. */
        CONNECTION,
        /** What came is not what the hub said it would be, and was thrown away. */
        DAMAGED
    }

    HubException(Kind kind, String message, Throwable cause) {
        this(kind, message, cause, Duration.ZERO);
    }

    private HubException(Kind kind, String message, Throwable cause, Duration wait) {
        super(message, cause);
        this.kind = kind;
        this.wait = wait;
    }

    /** The same, from a hub that says how long to wait before the next try. */
    HubException asksToWait(Duration time) {
        return new HubException(kind, getMessage(), getCause(), time);
    }

    /** How long the hub asks to wait; zero where it does not. */
    Duration waitingTime() {
        return wait;
    }

    HubException(Kind kind, String message) {
        this(kind, message, null);
    }

    Kind kind() {
        return kind;
    }

    /** Whether the same request will fail again. */
    boolean isFinal() {
        return kind == Kind.FINAL || kind == Kind.ABSENT;
    }
}
