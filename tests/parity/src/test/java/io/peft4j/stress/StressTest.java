package io.peft4j.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.measure.ProcessUsage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One base model under everything at once, round after round: eight threads ask the base, adapters and views, one
 * trains, one loads, swaps, merges and deletes, and at some moment of each round base and models are closed. Each
 * answer must be the one that the same question gets alone, each training must end with the adapter that it ends with
 * alone, and after a close each thread must hear a clear exception and end.
 *
 * <p>Rounds go on for {@code -Dpeft4j.stress.seconds}, in the build a few seconds; {@code -Dpeft4j.stress.seed} repeats
 * one. What threads do when is drawn from the seed, how they interleave is the machine's choice.
 */
@Tag("full")
class StressTest {
    private static final Logger LOG = LoggerFactory.getLogger(StressTest.class);
    private static final Duration TIME = Duration.ofSeconds(Integer.getInteger("peft4j.stress.seconds", 12));
    private static final long SEED = Long.getLong("peft4j.stress.seed", 1);
    /** Rounds until caches, compiled kernels and the C library's heap have their size. */
    private static final int WARM_UP = 3;
    /** Rounds behind them at least: on a busy machine the end of one round says little. */
    private static final int MEASURED = 6;
    /** What the C library may keep between two rounds; a round allocates and frees several times as much. */
    private static final long SLACK_BYTES = 96 << 20;

    @Test
    void answersStayRightWhateverHappensBesideThem() throws InterruptedException {
        SplittableRandom random = new SplittableRandom(SEED);
        Expected expected = Expected.compute();
        List<Long> memory = new ArrayList<>();
        long end = System.nanoTime() + TIME.toNanos();
        int answers = 0;
        int trainings = 0;
        int changes = 0;
        while (memory.size() < WARM_UP + MEASURED || System.nanoTime() < end) {
            Round round = new Round(expected, random.split());
            round.run();
            assertEquals(List.of(), round.failures(), "round " + memory.size());
            answers += round.answers();
            trainings += round.trainings();
            changes += round.changes();
            System.gc();
            NativeMemory.trim();
            // What is resident beside the heap.
            memory.add(ProcessUsage.residentBytes().orElse(0) - Runtime.getRuntime().totalMemory());
        }
        LOG.info("{} rounds, {} answers, {} trainings, {} changes, MB beside the heap {}", memory.size(), answers,
                trainings, changes, memory.stream().map(bytes -> bytes >> 20).toList());
        assertTrue(answers > 10 * memory.size() && trainings > 0 && changes > memory.size(), "threads did little: "
                + answers + " answers, " + trainings + " trainings, " + changes + " changes");
        // Rounds end with more or less freed; what leaks stays in all of them.
        int half = (WARM_UP + memory.size()) / 2;
        long before = Collections.min(memory.subList(WARM_UP - 1, half));
        long after = Collections.min(memory.subList(half, memory.size()));
        assertTrue(after <= before + SLACK_BYTES, "memory grew from " + before + " to " + after + " bytes");
    }
}
