package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

class WorkersTest {
    @Test
    void everyPartRunsOnceAndItsWritesAreVisible() throws InterruptedException {
        try (Workers workers = new Workers(3)) {
            for (int round = 0; round < 2000; round++) {
                int[] counts = new int[round % 17];
                int expected = round;
                workers.run(counts.length, (part, lane) -> counts[part] += expected + part);
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
    void concurrentPartsHaveTheirOwnLanes() {
        try (Workers workers = new Workers(4)) {
            Set<Lane> busy = ConcurrentHashMap.newKeySet();
            int[] clashes = new int[400];
            workers.run(clashes.length, (part, lane) -> {
                clashes[part] = busy.add(lane) ? 0 : 1;
                Thread.yield();
                busy.remove(lane);
            });
            assertArrayEquals(new int[400], clashes);
        }
    }

    @Test
    void anExceptionReachesTheCallerAndTheThreadsLiveOn() {
        try (Workers workers = new Workers(2)) {
            for (int bad = 0; bad < 5; bad++) {
                int failing = bad;
                assertThrows(ArithmeticException.class, () -> workers.run(5, (part, lane) -> {
                    if (part == failing) {
                        throw new ArithmeticException("part " + part);
                    }
                }));
            }
            int[] ran = new int[5];
            workers.run(5, (part, lane) -> ran[part]++);
            assertArrayEquals(new int[] {1, 1, 1, 1, 1}, ran);
        }
    }

    @Test
    void misuseIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Workers(0));
        Workers workers = new Workers(2);
        workers.close();
        assertThrows(IllegalStateException.class, () -> workers.run(1, (part, lane) -> { }));
    }

    @Test
    void slotsOfALaneAreSeparate() {
        try (Lane lane = new Lane()) {
            assertNotSame(lane.tile(0), lane.tile(1));
            assertFalse(lane.scratch(0, 100) == lane.scratch(1, 100));
            assertEquals(0, lane.scratch(2, 1000) % 64);
            assertEquals(lane.scratch(2, 1000), lane.scratch(2, 10));
        }
    }
}
