package io.peft4j.serve.http;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongSupplier;

/**
 * What is wrong with a server, for whoever asks for its health. A lasting problem is met again and again; one that
 * is not met any more is forgotten after a while. For use by several threads.
 */
public final class Problems {
    /** How long an error of the JVM is reported. */
    private static final Duration ERRORS = Duration.ofMinutes(5);

    private final LongSupplier nanos;
    /** When they are forgotten. */
    private final Map<String, Long> ends = new ConcurrentSkipListMap<>();

    /** @param nanos the time that has passed, by a clock that is never set */
    public Problems(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /**
     * A problem was met.
     *
     * @param what told to everybody: without names, places and texts of anybody
     * @param time how long it is reported
     */
    public void met(String what, Duration time) {
        ends.put(what, nanos.getAsLong() + time.toNanos());
    }

    /**
     * Takes note of a failure that is an error of the JVM, or comes from one. A stack that was too small is the fault
     * of one request, and is whole again.
     */
    public void note(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof Error && !(cause instanceof StackOverflowError)) {
                met("an error of the JVM: " + cause.getClass().getSimpleName(), ERRORS);
            }
        }
    }

    /** The problems met lately. */
    public List<String> now() {
        long now = nanos.getAsLong();
        ends.values().removeIf(end -> end - now < 0);
        return List.copyOf(ends.keySet());
    }
}
