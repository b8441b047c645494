package io.peft4j.core.engine;

import io.peft4j.core.engine.Engine.Priority;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Lets one thread compute at a time. Threads of one priority come in the order in which they asked. Answers go before
 * work, which gives way to them between two operations; but while both want to compute, work gets its share of the
 * time: what answers have used is owed to it, and answers wait until that is paid.
 *
 * <p>The thread that computes may ask again; it keeps the turn until it has given it back as often.
 */
final class ComputeQueue {
    /** An answer never waits longer than this for work that is owed. */
    private static final long MOST_OWED_NANOS = 60_000_000;

    private double workPerAnswer;
    private final LongSupplier clock;
    private final Deque<Waiter> answers = new ArrayDeque<>();
    private final Deque<Waiter> work = new ArrayDeque<>();
    private Thread owner;
    private Priority priority;
    private int depth;
    private long since;
    private long owed;
    private long answersWaited;
    /** Read without the monitor, by work that asks whether to give way. */
    private volatile boolean answersWait;

    private static final class Waiter {
        private final Thread thread = Thread.currentThread();
        private volatile boolean called;
    }

    /**
     * No thread computes yet.
     *
     * @param workShare the share of the time that work gets while answers want to compute, too: above 0, below 1
     * @param clock nanoseconds
     */
    ComputeQueue(double workShare, LongSupplier clock) {
        this.clock = clock;
        workShare(workShare);
    }

    /** Another share of the time for work, from now on. */
    synchronized void workShare(double share) {
        if (!(share > 0 && share < 1)) {
            throw new IllegalArgumentException("the share of work must be above 0 and below 1, got " + share);
        }
        workPerAnswer = share / (1 - share);
    }

    /** Waits for the turn of the calling thread. */
    void take(Priority wanted) {
        Waiter waiter;
        long asked;
        synchronized (this) {
            if (owner == Thread.currentThread()) {
                depth++;
                return;
            }
            if (owner == null) {
                begin(Thread.currentThread(), wanted, 1);
                return;
            }
            asked = clock.getAsLong();
            waiter = new Waiter();
            (wanted == Priority.ANSWER ? answers : work).addLast(waiter);
            answersWait = !answers.isEmpty();
        }
        await(waiter);
        if (wanted == Priority.ANSWER) {
            synchronized (this) {
                answersWaited += clock.getAsLong() - asked;
            }
        }
    }

    /** Nanoseconds for which answers have waited so far. */
    synchronized long answersWaited() {
        return answersWaited;
    }

    synchronized void giveBack() {
        requireOwner();
        if (--depth == 0) {
            end();
            callNext();
        }
    }

    /** Work lets answers go first, unless it is owed time. Cheap where none waits. */
    void giveWay() {
        if (!answersWait) {
            return;
        }
        Waiter self;
        int depthBefore;
        synchronized (this) {
            if (owner != Thread.currentThread() || priority == Priority.ANSWER || answers.isEmpty()
                    || owed > clock.getAsLong() - since) {
                return;
            }
            depthBefore = depth;
            end();
            self = new Waiter();
            work.addFirst(self);
            callNext();
        }
        await(self);
        synchronized (this) {
            depth = depthBefore;
        }
    }

    private void requireOwner() {
        if (owner != Thread.currentThread()) {
            throw new IllegalStateException("this thread does not hold the engine");
        }
    }

    private void begin(Thread thread, Priority itsPriority, int itsDepth) {
        owner = thread;
        priority = itsPriority;
        depth = itsDepth;
        since = clock.getAsLong();
    }

    private void end() {
        long used = clock.getAsLong() - since;
        if (priority == Priority.WORK) {
            owed = Math.max(0, owed - used);
        } else if (!work.isEmpty()) {
            owed = Math.min(MOST_OWED_NANOS, owed + (long) (used * workPerAnswer));
        }
        owner = null;
    }

    private void callNext() {
        boolean answer = !answers.isEmpty() && (work.isEmpty() || owed == 0);
        Waiter next = answer ? answers.pollFirst() : work.pollFirst();
        answersWait = !answers.isEmpty();
        if (next != null) {
            begin(next.thread, answer ? Priority.ANSWER : Priority.WORK, 1);
            next.called = true;
            LockSupport.unpark(next.thread);
        }
    }

    private void await(Waiter waiter) {
        boolean interrupted = false;
        while (!waiter.called) {
            LockSupport.park(this);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
