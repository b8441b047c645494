package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.onednn.ThreadTeam.OpenMpThreads;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.bytedeco.dnnl.engine;
import org.junit.jupiter.api.Test;

/** Every task runs exactly once, whatever the threads do. */
class ThreadTeamTest {
    private static ThreadTeam team(int threads) {
        assertTrue(DnnlLibrary.obstacle().isEmpty());
        return new ThreadTeam(threads, new engine(engine.kind.cpu, 0));
    }

    @Test
    void runsEveryTaskOnce() {
        for (int threads : new int[] {1, 2, 3, 5}) {
            try (ThreadTeam team = team(threads)) {
                for (int round = 0; round < 20_000; round++) {
                    int count = round % 9;
                    AtomicIntegerArray runs = new AtomicIntegerArray(count);
                    team.run(count, (lane, index) -> runs.incrementAndGet(index));
                    for (int i = 0; i < count; i++) {
                        assertEquals(1, runs.get(i), "task " + i + " of " + count);
                    }
                }
            }
        }
    }

    @Test
    void workersThatSleptWakeUp() throws InterruptedException {
        try (ThreadTeam team = team(2)) {
            for (int round = 0; round < 20; round++) {
                Thread.sleep(2);
                AtomicInteger sum = new AtomicInteger();
                team.run(100, (lane, index) -> sum.addAndGet(index));
                assertEquals(4950, sum.get());
            }
        }
    }

    @Test
    void aTaskRunsOnItsThreadsLane() {
        try (ThreadTeam team = team(3)) {
            Thread caller = Thread.currentThread();
            AtomicInteger strays = new AtomicInteger();
            for (int round = 0; round < 1000; round++) {
                team.run(6, (lane, index) -> {
                    boolean onCaller = Thread.currentThread() == caller;
                    strays.addAndGet(onCaller == (lane == team.caller()) ? 0 : 1);
                });
            }
            assertEquals(0, strays.get());
        }
    }

    @Test
    void aFailureReachesTheCallerAndTheTeamGoesOn() {
        try (ThreadTeam team = team(2)) {
            IllegalStateException failure = new IllegalStateException("task 3");
            for (int round = 0; round < 200; round++) {
                RuntimeException thrown = assertThrows(RuntimeException.class, () -> team.run(8, (lane, index) -> {
                    if (index == 3) {
                        throw failure;
                    }
                }));
                assertSame(failure, thrown);
                AtomicInteger count = new AtomicInteger();
                team.run(8, (lane, index) -> count.incrementAndGet());
                assertEquals(8, count.get());
            }
        }
    }

    @Test
    void scratchMemoryOfATaskIsGivenBack() {
        try (ThreadTeam team = team(2)) {
            team.run(50, (lane, index) -> lane.scratch().take(1000 + index));
            assertEquals(0, team.caller().scratch().mark());
        }
    }

    @Test
    void closingTwiceIsAllowedAndRunningAfterwardsIsNot() {
        ThreadTeam team = team(2);
        team.close();
        assertDoesNotThrow(team::close);
        assertThrows(IllegalStateException.class, () -> team.run(2, (lane, index) -> {
        }));
    }

    /** Other OpenMP users on the calling thread keep their threads; inside a task there is one. */
    @Test
    void theCallersOpenMpThreadsArePutBack() {
        OpenMpThreads openMp = new OpenMpThreads();
        int before = openMp.limit();
        openMp.restore(before);
        openMp.restore(3);
        try (ThreadTeam team = team(2)) {
            AtomicInteger inside = new AtomicInteger();
            team.run(4, (lane, index) -> inside.addAndGet(openMp.limit()));
            assertEquals(4, inside.get());
            assertEquals(3, openMp.limit());
        } finally {
            openMp.restore(before);
        }
    }
}
