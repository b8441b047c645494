package io.peft4j.models.hub;

import java.io.IOException;

/** The hub did not give what was asked. The message is a clause that says why. */
final class HubException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Kind kind;

    /** What went wrong, as far as it matters for another try. */
    enum Kind {
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
        super(message, cause);
        this.kind = kind;
    }

    HubException(Kind kind, String message) {
        this(kind, message, null);
    }

    Kind kind() {
        return kind;
    }
}
