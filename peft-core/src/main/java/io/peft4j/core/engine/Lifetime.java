package io.peft4j.core.engine;

import io.peft4j.core.error.ClosedException;
import java.util.Objects;

/**
 * The life of something that several threads use and one of them closes: closing refuses new users at once, and what it
 * holds is freed when the last user leaves. No caller waits.
 */
public final class Lifetime implements AutoCloseable {
    private final String what;
    private final Runnable free;
    private int users;
    private boolean closed;

    /**
     * A life that begins.
     *
     * @param what names it in error messages, for instance {@code the model my-model}
     * @param free frees what is held; runs once, on the thread that closes or leaves last
     */
    public Lifetime(String what, Runnable free) {
        this.what = Objects.requireNonNull(what, "what");
        this.free = Objects.requireNonNull(free, "free");
    }

    /** Keeps the thing alive until it is closed. */
    public final class Lease implements AutoCloseable {
        private boolean left;

        private Lease() {
        }

        /** Leaves; a second time does nothing. */
        @Override
        public void close() {
            leave(this);
        }
    }

    /**
     * A new user.
     *
     * @throws ClosedException when it has been closed
     */
    public synchronized Lease lease() {
        if (closed) {
            throw new ClosedException(what);
        }
        users++;
        return new Lease();
    }

    private void leave(Lease lease) {
        boolean last;
        synchronized (this) {
            if (lease.left) {
                return;
            }
            lease.left = true;
            last = --users == 0 && closed;
        }
        if (last) {
            free.run();
        }
    }

    /** Whether it has been closed; it may still be in use. */
    public synchronized boolean isClosed() {
        return closed;
    }

    /** Refuses new users, and frees what is held now or when the last one leaves. A second time does nothing. */
    @Override
    public void close() {
        boolean last;
        synchronized (this) {
            last = !closed && users == 0;
            closed = true;
        }
        if (last) {
            free.run();
        }
    }
}
