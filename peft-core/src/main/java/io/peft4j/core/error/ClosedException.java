package io.peft4j.core.error;

/** A model, an adapter or another thing with native memory was used after it had been closed. */
public final class ClosedException extends PeftException {
    private static final long serialVersionUID = 1L;

    /**
     * The exception for a thing of this name.
     *
     * @param what what is closed, for instance {@code the model my-model}
     */
    public ClosedException(String what) {
        super(what + " is closed");
    }
}
