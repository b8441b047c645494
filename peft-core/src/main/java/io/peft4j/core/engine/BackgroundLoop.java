package io.peft4j.core.engine;

import io.peft4j.core.io.Uninterrupted;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A thread that does the same again and again until it is stopped. Whatever a round throws is reported, and after a
 * pause the next one follows: the thread ends only if a round, the receiver of its troubles or its owner ends it.
 * It does not keep the process alive.
 */
public final class BackgroundLoop {
    private static final long BACK_OFF_MILLIS = 2000;

    private final Round round;
    private final long pauseMillis;
    private final Predicate<Throwable> trouble;
    private final Thread thread;
    private boolean stopping;
    private volatile @Nullable Throwable failure;

    private BackgroundLoop(String name, Duration pause, Round round, Predicate<Throwable> trouble) {
        this.round = round;
        this.pauseMillis = pause.toMillis();
        this.trouble = trouble;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
    }

    /** What is done again and again. */
    @FunctionalInterface
    public interface Round {
        /** Gives whether another round follows. */
        boolean run() throws Exception;
    }

    /**
     * Starts a thread. Where the system refuses it, what is thrown here says so, and there is no loop.
     *
     * @param name of the thread
     * @param pause before each round; 0 for none, but 2 s after one that has thrown
     * @param trouble hears what a round throws, and says whether another follows; if it throws itself, one does
     * @throws OutOfMemoryError when the system gives no further thread
     */
    public static BackgroundLoop start(String name, Duration pause, Round round, Predicate<Throwable> trouble) {
        BackgroundLoop loop = new BackgroundLoop(name, pause, round, trouble);
        loop.thread.start();
        return loop;
    }

    // A thread that has ended without a word is worse than whatever a round may throw.
    @SuppressWarnings("checkstyle:IllegalCatch")
    private void run() {
        long wait = pauseMillis;
        boolean follows = true;
        while (follows) {
            try {
                follows = await(wait) && round.run();
                wait = pauseMillis;
                failure = null;
            } catch (InterruptedException e) {
                follows = false;
            } catch (Throwable e) {
                wait = pauseMillis > 0 ? pauseMillis : BACK_OFF_MILLIS;
                follows = tell(e);
            }
        }
    }

    @SuppressWarnings("checkstyle:IllegalCatch")
    private boolean tell(Throwable thrown) {
        failure = thrown;
        try {
            return trouble.test(thrown);
        } catch (Throwable e) {
            // There may be no memory for a line of the log.
            return true;
        }
    }

    /** Whether a round follows after so long. */
    private synchronized boolean await(long millis) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (long left = end - System.nanoTime(); millis > 0 && left > 0 && !stopping; left = end - System.nanoTime()) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return !stopping;
    }

    /** Whether the thread still runs. */
    public boolean isAlive() {
        return thread.isAlive();
    }

    /** What the last round threw; empty where it went well. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    /** Interrupts the round that runs, and ends the loop. */
    public void interrupt() {
        thread.interrupt();
    }

    /** As {@link #awaitEnd}, after the round that runs now. */
    public boolean stop(Duration most) {
        synchronized (this) {
            stopping = true;
            notifyAll();
        }
        return awaitEnd(most);
    }

    /**
     * Waits for the end, also on a thread that is interrupted, which it stays. A loop does not wait for itself.
     *
     * @param most how long
     * @return whether it has ended
     */
    public boolean awaitEnd(Duration most) {
        long end = System.nanoTime() + most.toNanos();
        return thread != Thread.currentThread() && Uninterrupted.call(() -> {
            TimeUnit.NANOSECONDS.timedJoin(thread, end - System.nanoTime());
            return !thread.isAlive();
        });
    }
}
