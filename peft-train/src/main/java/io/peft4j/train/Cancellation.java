package io.peft4j.train;

/**
 * A request to stop, from another thread for instance. A training that is cancelled stops after the update that it is at
 * and leaves a usable adapter.
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
