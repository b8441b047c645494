package io.peft4j.onednn;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.bytedeco.dnnl.engine;

/**
 * The threads that share an operation: the caller and workers of our own. An operation is cut into tasks; each thread
 * takes the next one until none is left, so a thread that the system holds up does not hold up the others. A task calls
 * oneDNN on its part with one thread.
 *
 * <p>Several oneDNN calls on the same rows so cost one hand-over, and there are no OpenMP threads that spin against
 * ours. What a task computes must not depend on which lane runs it: then results do not depend on timing.
 */
final class Team implements AutoCloseable {
    /** A part of an operation. */
    @FunctionalInterface
    interface Task {
        /** Computes part {@code index}. */
        void run(Lane lane, int index);
    }

    private static final VarHandle STATE;
    /** How long a worker looks for the next operation before it sleeps. */
    private static final long SPIN_NANOS = 200_000;
    private static final int SPINS_BETWEEN_CLOCKS = 128;
    /**
     * Layout of the state: generation above tasks above the next task to take, so that taking one reads them at once.
     */
    private static final int FIELD_BITS = 20;
    private static final long FIELD_MASK = (1L << FIELD_BITS) - 1;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Team.class, "state", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Lane[] lanes;
    private final Worker[] workers;
    private final OpenMpThreads openMp = new OpenMpThreads();
    private final AtomicInteger done = new AtomicInteger();
    private volatile long state;
    private volatile Throwable failure;
    private volatile boolean closed;
    private Task task;

    Team(int threads, engine engine) {
        lanes = new Lane[threads];
        for (int i = 0; i < threads; i++) {
            lanes[i] = new Lane(i, engine);
        }
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(lanes[i + 1]);
            workers[i].start();
        }
    }

    /** The number of threads. */
    int size() {
        return lanes.length;
    }

    /** The caller's own lane, for work between the parallel parts. */
    Lane caller() {
        return lanes[0];
    }

    /** Runs tasks 0 to {@code count - 1} and returns when all are done. */
    void run(int count, Task newTask) {
        if (count <= 0) {
            return;
        }
        if (closed) {
            throw new IllegalStateException("the kernels are closed");
        }
        int former = openMp.limit();
        try {
            if (count == 1 || workers.length == 0) {
                for (int i = 0; i < count; i++) {
                    runOne(lanes[0], newTask, i);
                }
            } else {
                share(count, newTask);
            }
        } finally {
            openMp.restore(former);
        }
    }

    /** Runs {@code work} on the caller's lane. */
    void alone(Task work) {
        run(1, work);
    }

    private void share(int count, Task newTask) {
        if (count > FIELD_MASK - lanes.length) {
            throw new IllegalArgumentException("too many tasks: " + count);
        }
        task = newTask;
        done.set(0);
        long generation = (state >>> 2 * FIELD_BITS) + 1;
        state = generation << 2 * FIELD_BITS | (long) count << FIELD_BITS;
        for (Worker worker : workers) {
            worker.wake();
        }
        work(lanes[0]);
        awaitDone(count);
        task = null;
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            throw rethrown(thrown);
        }
    }

    /** Takes tasks until none is left; returns the generation they belonged to. */
    private long work(Lane lane) {
        while (true) {
            long taken = (long) STATE.getAndAdd(this, 1L);
            int next = (int) (taken & FIELD_MASK);
            if (next >= (int) (taken >>> FIELD_BITS & FIELD_MASK)) {
                return taken >>> 2 * FIELD_BITS;
            }
            // The operation cannot end before this task is counted, so the field belongs to it.
            Task mine = task;
            if (failure == null) {
                try {
                    runOne(lane, mine, next);
                } catch (Throwable e) {
                    failure = e;
                }
            }
            done.incrementAndGet();
        }
    }

    private static void runOne(Lane lane, Task task, int index) {
        long mark = lane.scratch().mark();
        try {
            task.run(lane, index);
        } finally {
            lane.scratch().release(mark);
        }
    }

    private void awaitDone(int count) {
        long start = System.nanoTime();
        for (int spins = 1; done.get() < count; spins++) {
            Thread.onSpinWait();
            if (spins % SPINS_BETWEEN_CLOCKS == 0 && System.nanoTime() - start > SPIN_NANOS) {
                Thread.yield();
            }
        }
    }

    private static RuntimeException rethrown(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return (RuntimeException) thrown;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker);
        }
        for (Worker worker : workers) {
            boolean interrupted = false;
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        for (Lane lane : lanes) {
            lane.close();
        }
    }

    private final class Worker extends Thread {
        private final Lane lane;
        private volatile boolean asleep;

        Worker(Lane lane) {
            super("peft4j-onednn-" + lane.index());
            this.lane = lane;
            setDaemon(true);
        }

        void wake() {
            if (asleep) {
                LockSupport.unpark(this);
            }
        }

        @Override
        public void run() {
            openMp.limit();
            long seen = 0;
            while (!closed) {
                if (state >>> 2 * FIELD_BITS == seen && !spinFor(seen)) {
                    sleepFor(seen);
                    continue;
                }
                seen = work(lane);
            }
        }

        private boolean spinFor(long seen) {
            long start = System.nanoTime();
            for (int spins = 1; state >>> 2 * FIELD_BITS == seen; spins++) {
                Thread.onSpinWait();
                if (spins % SPINS_BETWEEN_CLOCKS == 0 && System.nanoTime() - start > SPIN_NANOS) {
                    return false;
                }
            }
            return true;
        }

        private void sleepFor(long seen) {
            asleep = true;
            while (!closed && state >>> 2 * FIELD_BITS == seen) {
                LockSupport.park(Team.this);
            }
            asleep = false;
        }
    }
}
