package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class WorkersTest {
    private static Workers<ThreadScratch> workers(int threads) {
        return new Workers<>(threads, "test", ThreadScratch::new, () -> {
        });
    }

    @Test
    void everyPartRunsOnceAndItsWritesAreVisible() throws InterruptedException {
        try (Workers<ThreadScratch> workers = workers(3)) {
            for (int round = 0; round < 2000; round++) {
                int[] counts = new int[round % 17];
                int expected = round;
                workers.run(counts.length, (lane, part) -> counts[part] += expected + part);
                for (int part = 0; part < counts.length; part++) {
                    assertEquals(expected + part, counts[part]);
                }
                if (round % 500 == 0) {
                    // Long enough for the threads to fall asleep, so that waking them is tested too.
                    Thread.sleep(2);
                }
            }
        }
    }

    @Test
    void threadsThatHaveBegunEndWhereTheNextIsRefused() {
        try (Faults refusing = Faults.at(2, true, Set.of(Step.THREAD))) {
            assertThrows(OutOfMemoryError.class, () -> new Workers<>(3, "peft4j-refused", ThreadScratch::new, () -> {
            }));
        }
        assertTrue(Thread.getAllStackTraces().keySet().stream().noneMatch(thread -> thread.getName().startsWith(
                "peft4j-refused")));
    }

    @Test
    void concurrentPartsHaveTheirOwnLanes() {
        try (Workers<ThreadScratch> workers = workers(4)) {
            Set<ThreadScratch> busy = ConcurrentHashMap.newKeySet();
            int[] clashes = new int[400];
            workers.run(clashes.length, (lane, part) -> {
                clashes[part] = busy.add(lane) ? 0 : 1;
                Thread.yield();
                busy.remove(lane);
            });
            assertArrayEquals(new int[400], clashes);
        }
    }

    @Test
    void anExceptionReachesTheCallerAndTheThreadsLiveOn() {
        try (Workers<ThreadScratch> workers = workers(2)) {
            for (int bad = 0; bad < 5; bad++) {
                int failing = bad;
                assertThrows(ArithmeticException.class, () -> workers.run(5, (lane, part) -> {
                    if (part == failing) {
                        throw new ArithmeticException("part " + part);
                    }
                }));
            }
            int[] ran = new int[5];
            workers.run(5, (lane, part) -> ran[part]++);
            assertArrayEquals(new int[] {1, 1, 1, 1, 1}, ran);
        }
    }

    /** A caller that spun until a task of another thread ends would take the processor that the task needs. */
    @Test
    void aCallerThatWaitsLongSleeps() {
        try (Workers<ThreadScratch> workers = workers(2)) {
            Thread caller = Thread.currentThread();
            CountDownLatch begun = new CountDownLatch(2);
            boolean[] slept = new boolean[2];
            workers.run(2, (lane, part) -> {
                begun.countDown();
                if (Thread.currentThread() == caller) {
                    while (begun.getCount() > 0) {
                        Thread.yield();
                    }
                    return;
                }
                long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
                while (caller.getState() != Thread.State.WAITING || begun.getCount() > 0) {
                    if (System.nanoTime() > end) {
                        return;
                    }
                    Thread.yield();
                }
                slept[part] = true;
            });
            assertTrue(slept[0] || slept[1], "the caller never slept");
        }
    }

    @Test
    void anInterruptOfTheCallerIsKept() {
        try (Workers<ThreadScratch> workers = workers(2)) {
            Thread.currentThread().interrupt();
            AtomicInteger sum = new AtomicInteger();
            workers.run(100, (lane, part) -> sum.addAndGet(part));
            assertEquals(4950, sum.get());
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void misuseIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> workers(0));
        Workers<ThreadScratch> workers = workers(2);
        workers.close();
        assertThrows(IllegalStateException.class, () -> workers.run(1, (lane, part) -> {
        }));
    }

    @Test
    void slotsOfALaneAreSeparate() {
        try (ThreadScratch lane = new ThreadScratch()) {
            assertNotSame(lane.tile(0), lane.tile(1));
            assertFalse(lane.scratch(0, 100) == lane.scratch(1, 100));
            assertEquals(0, lane.scratch(2, 1000) % 64);
            assertEquals(lane.scratch(2, 1000), lane.scratch(2, 10));
        }
    }
}
