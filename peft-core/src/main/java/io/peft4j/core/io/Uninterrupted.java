package io.peft4j.core.io;

import io.peft4j.core.Internal;

/**
 * Runs what an interruption would break or end too early: Java closes the channel of a thread that is interrupted, also
 * of one that was so before. A training that was asked to stop has to save, and to read what it saved; what a thread
 * uses is freed only when the thread has ended.
 */
@Internal(shared = true)
public final class Uninterrupted {
    private Uninterrupted() {
    }

    /**
     * What is run.
     *
     * @param <T> its result
     * @param <E> what it throws
     */
    @FunctionalInterface
    public interface Work<T, E extends Exception> {
        /** The result. Where a wait is interrupted, it begins again. */
        T run() throws E, InterruptedException;
    }

    /** The result; the thread is interrupted afterwards if it was before or has been meanwhile. */
    public static <T, E extends Exception> T call(Work<T, E> work) throws E {
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                try {
                    return work.run();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
