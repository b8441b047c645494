package io.peft4j.core.io.internal;

import java.io.IOException;

/**
 * Runs what an interrupt would break: Java closes the channel of a thread that is interrupted, also of one that was so
 * before. A training that somebody asked to stop has to save, and to read what it saved.
 */
final class Uninterrupted {
    /** Works on a channel. */
    @FunctionalInterface
    interface Work<T> {
        T run() throws IOException;
    }

    private Uninterrupted() {
    }

    /** The result; the thread is interrupted afterwards if it was before. */
    static <T> T call(Work<T> work) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            return work.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
