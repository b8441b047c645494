package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.io.Closer;
import io.peft4j.core.io.Uninterrupted;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * The threads that share an operation of kernels: the caller and workers of our own. An operation is cut into tasks;
 * each thread takes the next one until none is left, so a thread that the system holds up does not hold up the others.
 * Which thread computes a task is left open, but what a task computes must not depend on it: then results do not depend
 * on timing.
 *
 * <p>An operation is followed by the next within microseconds, so whoever waits, a worker for tasks or the caller for
 * the last of them, looks again and again for a moment before it sleeps. Where there are more threads than processors
 * the moment is short, since those who are waited for need the processor. One thread at a time calls; it may be another
 * each time.
 *
 * @param <L> what each thread works with: its lane
 */
@Internal(shared = true)
public final class Workers<L extends Tiles> implements AutoCloseable {
    /** A part of an operation. */
    @FunctionalInterface
    public interface Task<L> {
        /** Computes part {@code index}. */
        void run(L lane, int index);
    }

    private static final VarHandle STATE;
    private static final long SPIN_NANOS = 200_000;
    private static final long CROWDED_SPIN_NANOS = 5_000;
    /**
     * How long the caller then offers its processor to others and looks again: the last tasks of a large product take
     * about so long, and to wake from sleep takes a virtual processor a tenth of a millisecond.
     */
    private static final long YIELD_NANOS = 2_000_000;
    private static final int SPINS_BETWEEN_CLOCKS = 128;
    /**
     * Layout of the state: generation above tasks above the next task to take, so that taking one reads them at once.
     */
    private static final int FIELD_BITS = 20;
    private static final long FIELD_MASK = (1L << FIELD_BITS) - 1;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Workers.class, "state", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final List<L> lanes = new ArrayList<>();
    private final List<Worker> workers = new ArrayList<>();
    private final long spinNanos;
    private final long yieldNanos;
    private final AtomicInteger done = new AtomicInteger();
    private volatile long state;
    private volatile Throwable failure;
    private volatile boolean closed;
    /** The caller, once it sleeps until all tasks are done. */
    private volatile Thread waiter;
    private Task<? super L> task;

    /**
     * Starts the threads.
     *
     * @param threads threads that compute, the calling one among them
     * @param name what the threads are called, before a number
     * @param lane makes the lane of a thread
     * @param begin run by each worker thread at its start
     * @throws IllegalArgumentException when there is not at least one thread
     */
    public Workers(int threads, String name, Supplier<L> lane, Runnable begin) {
        if (threads < 1) {
            throw new IllegalArgumentException("the number of threads must be at least 1, got " + threads);
        }
        boolean crowded = threads > Runtime.getRuntime().availableProcessors();
        spinNanos = crowded ? CROWDED_SPIN_NANOS : SPIN_NANOS;
        yieldNanos = crowded ? 0 : YIELD_NANOS;
        for (int i = 0; i < threads; i++) {
            lanes.add(lane.get());
        }
        for (int i = 1; i < threads; i++) {
            workers.add(new Worker(name + "-" + i, lanes.get(i), begin));
        }
        try (Closer opened = new Closer()) {
            opened.add(this);
            workers.forEach(Thread::start);
            opened.keep();
        }
    }

    /** The number of threads. */
    public int size() {
        return lanes.size();
    }

    /** The caller's own lane, for work between operations. */
    public L caller() {
        return lanes.get(0);
    }

    /**
     * Runs tasks 0 to {@code count - 1} and returns when all are done. An exception of a task is thrown here; tasks
     * that were not begun by then are left out.
     *
     * @throws IllegalStateException when the kernels are closed
     */
    public void run(int count, Task<? super L> newTask) {
        if (closed) {
            throw new IllegalStateException("the kernels are closed");
        }
        if (count <= 1 || workers.isEmpty()) {
            for (int i = 0; i < count; i++) {
                newTask.run(caller(), i);
            }
        } else {
            share(count, newTask);
        }
    }

    private void share(int count, Task<? super L> newTask) {
        if (count > FIELD_MASK - lanes.size()) {
            throw new IllegalArgumentException("too many tasks: " + count);
        }
        task = newTask;
        done.set(0);
        long generation = (state >>> 2 * FIELD_BITS) + 1;
        state = generation << 2 * FIELD_BITS | (long) count << FIELD_BITS;
        workers.forEach(Worker::wake);
        work(caller());
        awaitDone(count);
        task = null;
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            throw rethrown(thrown);
        }
    }

    /** Takes tasks until none is left; returns the generation they belonged to. */
    private long work(L lane) {
        while (true) {
            long taken = (long) STATE.getAndAdd(this, 1L);
            int next = (int) (taken & FIELD_MASK);
            int count = (int) (taken >>> FIELD_BITS & FIELD_MASK);
            if (next >= count) {
                return taken >>> 2 * FIELD_BITS;
            }
            // The operation cannot end before this task is counted, so the field belongs to it.
            Task<? super L> mine = task;
            if (failure == null) {
                try {
                    mine.run(lane, next);
                } catch (Throwable e) {
                    failure = e;
                }
            }
            if (done.incrementAndGet() == count) {
                LockSupport.unpark(waiter);
            }
        }
    }

    private void awaitDone(int count) {
        if (spin(() -> done.get() == count)) {
            return;
        }
        for (long start = System.nanoTime(); System.nanoTime() - start < yieldNanos; Thread.yield()) {
            if (done.get() == count) {
                return;
            }
        }
        waiter = Thread.currentThread();
        boolean interrupted = false;
        while (done.get() < count) {
            LockSupport.park(this);
            // Parking does not wait while the thread is interrupted.
            interrupted |= Thread.interrupted();
        }
        waiter = null;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds();
    }

    /** Looks for a moment; whether the condition has come to hold. */
    private boolean spin(Condition condition) {
        long start = System.nanoTime();
        for (int spins = 1; !condition.holds(); spins++) {
            Thread.onSpinWait();
            if (spins % SPINS_BETWEEN_CLOCKS == 0 && System.nanoTime() - start > spinNanos) {
                return false;
            }
        }
        return true;
    }

    private static RuntimeException rethrown(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return (RuntimeException) thrown;
    }

    /** Ends the threads and closes the lanes; no operation may be under way. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        workers.forEach(LockSupport::unpark);
        workers.forEach(worker -> Uninterrupted.call(() -> {
            worker.join();
            return worker;
        }));
        lanes.forEach(Tiles::close);
    }

    private final class Worker extends Thread {
        private final L lane;
        private final Runnable begin;
        private volatile boolean asleep;

        Worker(String name, L lane, Runnable begin) {
            super(name);
            this.lane = lane;
            this.begin = begin;
            setDaemon(true);
        }

        void wake() {
            if (asleep) {
                LockSupport.unpark(this);
            }
        }

        @Override
        public void run() {
            begin.run();
            long seen = 0;
            while (!closed) {
                long last = seen;
                if (isOver(last) && !spin(() -> !isOver(last))) {
                    sleepAfter(last);
                } else {
                    seen = work(lane);
                }
            }
        }

        /** Whether no operation has begun since the given one. */
        private boolean isOver(long generation) {
            return state >>> 2 * FIELD_BITS == generation;
        }

        private void sleepAfter(long generation) {
            asleep = true;
            while (!closed && isOver(generation)) {
                LockSupport.park(Workers.this);
            }
            asleep = false;
        }
    }
}
