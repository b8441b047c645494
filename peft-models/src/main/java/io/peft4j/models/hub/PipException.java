package io.peft4j.models.hub;

/** pip did not bring a model. The message is a clause that says why. */
final class PipException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean worthRetrying;

    private PipException(String message, boolean worthRetrying) {
        super(message);
        this.worthRetrying = worthRetrying;
    }

    static PipException damaged(String message) {
        return new PipException(message, true);
    }

    static PipException refused(String message) {
        return new PipException(message, false);
    }

    boolean isWorthRetrying() {
        return worthRetrying;
    }
}
