package io.peft4j.train;

/**
 * A request to stop, from another thread for instance. A training that is cancelled stops within one forward pass: an
 * update that has begun and is not complete is dropped. It leaves a usable adapter. A request is never taken back.
 */
public final class Cancellation {
    private volatile boolean requested;

    /** Asks to stop. */
    public void cancel() {
        requested = true;
    }

    /** Whether somebody asked. */
    public boolean isRequested() {
        return requested;
    }
}
