package io.peft4j.core.engine;

import java.util.concurrent.TimeUnit;

/**
 * Keeps work that takes long from slowing work that is short: long work is done in pieces, and while any short work is
 * in progress, all pieces together have a sixteenth of the machine's processor time; otherwise they go on at once.
 */
public final class WorkShare {
    private static final int SHARE = 16;
    /** Work up to this length is not long. */
    private static final long PIECE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    /** A piece counts as no longer: its thread may have waited, too. */
    private static final long LONGEST_NANOS = 10 * PIECE_NANOS;

    private final double factor;
    private int inProgress;
    /** The time from which on the next piece may run. */
    private long free = System.nanoTime();

    /** For the processors of this machine. */
    public WorkShare() {
        this((double) SHARE / Runtime.getRuntime().availableProcessors());
    }

    /** @param factor the time for a piece, its pause included, in times of the piece */
    WorkShare(double factor) {
        this.factor = factor;
    }

    /** Some short work begins. */
    public synchronized void begin() {
        inProgress++;
    }

    /** Some short work has ended. */
    public synchronized void end() {
        inProgress--;
        if (inProgress == 0) {
            notifyAll();
        }
    }

    /** Whether any short work is in progress. */
    public synchronized boolean isBusy() {
        return inProgress > 0;
    }

    /** Long work that begins now on the current thread. */
    public Pieces pieces() {
        return new Pieces();
    }

    /** Waits for as long as a piece has to be followed by none, or until no short work is in progress. */
    private synchronized void await(long worked) {
        if (inProgress == 0) {
            return;
        }
        long now = System.nanoTime();
        free = now + Math.max(free - now, -worked) + (long) (factor * worked);
        long until = free;
        try {
            while (inProgress > 0 && until - System.nanoTime() > 0) {
                TimeUnit.NANOSECONDS.timedWait(this, until - System.nanoTime());
            }
        } catch (InterruptedException e) {
            // Passes the interrupt on to callers that check for it.
            Thread.currentThread().interrupt();
        }
    }

    /** The pieces of one thread's long work. */
    public final class Pieces {
        private long begun = System.nanoTime();

        private Pieces() {
        }

        /** Between two pieces: pauses where short work is in progress. Gives whether the last was of some length. */
        public boolean pause() {
            long worked = System.nanoTime() - begun;
            if (worked < PIECE_NANOS) {
                return false;
            }
            await(Math.min(worked, LONGEST_NANOS));
            resume();
            return true;
        }

        /** The next piece begins now. */
        public void resume() {
            begun = System.nanoTime();
        }
    }
}
