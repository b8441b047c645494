package io.peft4j.train;

import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * A request to stop, from another thread for instance. A training that is cancelled stops within one forward pass: an
 * update that has begun and is not complete is dropped. It leaves a usable adapter. A request is never taken back. An
 * interrupt alone is none: {@code new Cancellation(Thread.currentThread()::isInterrupted)} makes it one.
 */
public final class Cancellation {
    private final BooleanSupplier also;
    private volatile boolean requested;

    /** Not yet asked for. */
    public Cancellation() {
        this(() -> false);
    }

    /**
     * Not yet asked for.
     *
     * @param also asks to stop as soon as it is true; looked at often, on any thread, and before anything is saved:
     *     what it throws then ends the training without that
     */
    public Cancellation(BooleanSupplier also) {
        this.also = Objects.requireNonNull(also, "also");
    }

    /** Asks to stop. */
    public void cancel() {
        requested = true;
    }

    /** Whether it was requested. */
    public boolean isRequested() {
        requested |= also.getAsBoolean();
        return requested;
    }
}
