package io.peft4j.core.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.engine.Engine.Priority;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who computes when, on a clock that the tests move. */
@Timeout(60)
class ComputeQueueTest {
    private final AtomicLong clock = new AtomicLong();
    private final ComputeQueue turns = new ComputeQueue(0.5, clock::get);
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());

    /** A thread that waits for its turn, notes its name, lets time pass and gives the turn back. */
    private Thread waiting(String name, Priority priority, long nanos) throws InterruptedException {
        Thread thread = new Thread(() -> {
            turns.take(priority);
            order.add(name);
            clock.addAndGet(nanos);
            turns.giveBack();
        }, name);
        thread.start();
        while (thread.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        return thread;
    }

    private static void join(Thread... threads) throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
    }

    @Test
    void threadsOfOnePriorityComeInTheOrderInWhichTheyAsked() throws InterruptedException {
        turns.take(Priority.WORK);
        Thread[] threads = new Thread[5];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = waiting("work " + i, Priority.WORK, 10);
        }
        turns.giveBack();
        join(threads);
        assertEquals(List.of("work 0", "work 1", "work 2", "work 3", "work 4"), order);
    }

    @Test
    void answersGoBeforeWorkThatAskedEarlier() throws InterruptedException {
        turns.take(Priority.WORK);
        Thread work = waiting("work", Priority.WORK, 10);
        Thread answer = waiting("answer", Priority.ANSWER, 10);
        turns.giveBack();
        join(work, answer);
        assertEquals(List.of("answer", "work"), order);
    }

    @Test
    void workGivesWayBetweenOperationsAndGoesOnBeforeOtherWork() throws InterruptedException {
        turns.take(Priority.WORK);
        turns.take(Priority.WORK);
        turns.giveWay();
        Thread other = waiting("other work", Priority.WORK, 10);
        Thread answer = waiting("answer", Priority.ANSWER, 10);
        turns.giveWay();
        order.add("first work");
        turns.giveBack();
        turns.giveBack();
        assertThrows(IllegalStateException.class, turns::giveBack, "a turn that was taken twice is given back twice");
        join(other, answer);
        assertEquals(List.of("answer", "first work", "other work"), order);
    }

    @Test
    void theTimeForWhichAnswersWaitIsCounted() throws InterruptedException {
        turns.take(Priority.WORK);
        Thread first = waiting("first answer", Priority.ANSWER, 20);
        Thread second = waiting("second answer", Priority.ANSWER, 10);
        clock.addAndGet(7);
        turns.giveBack();
        join(first, second);
        assertEquals(7 + 27, turns.answersWaited());
        turns.take(Priority.ANSWER);
        turns.giveBack();
        assertEquals(7 + 27, turns.answersWaited(), "who need not wait");
    }

    @Test
    void answersDoNotGiveWay() throws InterruptedException {
        turns.take(Priority.ANSWER);
        Thread answer = waiting("second", Priority.ANSWER, 10);
        turns.giveWay();
        order.add("first");
        turns.giveBack();
        join(answer);
        assertEquals(List.of("first", "second"), order);
    }

    @Test
    void workKeepsItsShareOfTheTime() throws InterruptedException {
        turns.take(Priority.WORK);
        Thread first = waiting("answer 1", Priority.ANSWER, 100);
        turns.giveWay();
        Thread second = waiting("answer 2", Priority.ANSWER, 100);
        clock.addAndGet(99);
        turns.giveWay();
        order.add("work");
        clock.addAndGet(1);
        turns.giveWay();
        order.add("more work");
        turns.giveBack();
        join(first, second);
        assertEquals(List.of("answer 1", "work", "answer 2", "more work"), order);
    }

    @Test
    void onlyTheThreadThatComputesGivesTheTurnBack() throws InterruptedException {
        turns.take(Priority.WORK);
        List<Throwable> thrown = Collections.synchronizedList(new ArrayList<>());
        Thread stranger = new Thread(() -> thrown.add(assertThrows(IllegalStateException.class, turns::giveBack)));
        stranger.start();
        join(stranger);
        assertEquals(1, thrown.size());
        turns.giveBack();
    }

    @Test
    void anInterruptedThreadStillGetsItsTurnAndKeepsTheInterruption() throws InterruptedException {
        turns.take(Priority.WORK);
        List<Boolean> interrupted = Collections.synchronizedList(new ArrayList<>());
        Thread thread = new Thread(() -> {
            turns.take(Priority.ANSWER);
            interrupted.add(Thread.currentThread().isInterrupted());
            turns.giveBack();
        });
        thread.start();
        thread.interrupt();
        Thread.sleep(20);
        assertEquals(List.of(), interrupted);
        turns.giveBack();
        join(thread);
        assertEquals(List.of(true), interrupted);
    }

    @Test
    void aShareOfNothingOrOfAllIsRefused() {
        for (double share : new double[] {0, 1, -1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> new ComputeQueue(share, clock::get));
        }
    }
}
