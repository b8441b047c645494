package io.peft4j.core.kernel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that share the parts of one kernel call. The calling thread works too; parts are claimed one after the other,
 * so which thread computes a part is left open, but what a part computes is not: results do not depend on the number of
 * threads as long as parts write to separate places.
 *
 * <p>A kernel is followed by the next within microseconds, so an idle thread spins for a moment before it sleeps.
 */
final class Workers implements AutoCloseable {
    private static final long SPIN_NANOS = 50_000;
    private static final int SPINS_BEFORE_PARK = 20_000;

    /** Computes one part. */
    @FunctionalInterface
    interface Task {
        void run(int part, Lane lane);
    }

    private static final class Job {
        final Task task;
        final int parts;
        final AtomicInteger next = new AtomicInteger();
        final AtomicInteger finished = new AtomicInteger();
        volatile Throwable failure;
        /** The thread that has given up spinning for the end, so that the others have its processor. */
        volatile Thread waiter;

        Job(Task task, int parts) {
            this.task = task;
            this.parts = parts;
        }

        void work(Lane lane) {
            for (int part = next.getAndIncrement(); part < parts; part = next.getAndIncrement()) {
                try {
                    task.run(part, lane);
                } catch (Throwable t) {
                    failure = t;
                } finally {
                    if (finished.incrementAndGet() == parts) {
                        LockSupport.unpark(waiter);
                    }
                }
            }
        }
    }

    private final class Worker implements Runnable {
        private final Lane lane;
        private final Thread thread;
        private volatile boolean sleeping;

        Worker(int index) {
            lane = new Lane();
            thread = new Thread(this, "peft4j-kernels-" + index);
            thread.setDaemon(true);
            thread.start();
        }

        @Override
        public void run() {
            Job seen = null;
            long idleSince = System.nanoTime();
            while (!closed) {
                Job current = job;
                if (current != seen) {
                    seen = current;
                    current.work(lane);
                    idleSince = System.nanoTime();
                } else if (System.nanoTime() - idleSince < SPIN_NANOS) {
                    Thread.onSpinWait();
                } else {
                    sleeping = true;
                    if (job == seen && !closed) {
                        LockSupport.park(this);
                    }
                    sleeping = false;
                    idleSince = System.nanoTime();
                }
            }
            lane.close();
        }

        void wake() {
            if (sleeping) {
                LockSupport.unpark(thread);
            }
        }
    }

    private final Lane ownLane = new Lane();
    private final Worker[] workers;
    private volatile Job job;
    private volatile boolean closed;

    /** @param threads threads that compute, the calling one among them */
    Workers(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("the number of threads must be at least 1, got " + threads);
        }
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
        }
    }

    /** The scratch memory of the calling thread, free between calls of {@link #run}. */
    Lane ownLane() {
        return ownLane;
    }

    /** Runs parts 0 to {@code parts - 1} and returns when all are done. */
    void run(int parts, Task task) {
        if (closed) {
            throw new IllegalStateException("the kernels are closed");
        }
        if (parts <= 1 || workers.length == 0) {
            for (int part = 0; part < parts; part++) {
                task.run(part, ownLane);
            }
            return;
        }
        Job current = new Job(task, parts);
        job = current;
        for (int i = 0; i < Math.min(workers.length, parts - 1); i++) {
            workers[i].wake();
        }
        current.work(ownLane);
        for (int spins = 0; current.finished.get() < parts; spins++) {
            if (spins < SPINS_BEFORE_PARK) {
                Thread.onSpinWait();
            } else {
                current.waiter = Thread.currentThread();
                if (current.finished.get() < parts) {
                    LockSupport.park(this);
                }
            }
        }
        rethrow(current.failure);
    }

    private static void rethrow(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof RuntimeException exception) {
            throw exception;
        }
    }

    /** Ends the threads and frees their scratch memory. */
    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
        }
        ownLane.close();
    }
}
