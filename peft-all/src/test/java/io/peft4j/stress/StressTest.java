package io.peft4j.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.measure.ProcessUsage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
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
class StressTest {
    private static final Logger LOG = LoggerFactory.getLogger(StressTest.class);
    private static final Duration TIME = Duration.ofSeconds(Integer.getInteger("peft4j.stress.seconds", 12));
    private static final long SEED = Long.getLong("peft4j.stress.seed", 1);
    /** Rounds until caches, compiled kernels and the C library's heap have their size. */
    private static final int WARM_UP = 3;
    /** What the C library may keep between two rounds; a round allocates and frees several times as much. */
    private static final long SLACK_BYTES = 96 << 20;

    @Test
    void answersStayRightWhateverHappensBesideThem() throws InterruptedException {
        SplittableRandom random = new SplittableRandom(SEED);
        Expected expected = Expected.compute();
        List<Long> resident = new ArrayList<>();
        long end = System.nanoTime() + TIME.toNanos();
        int answers = 0;
        int trainings = 0;
        int changes = 0;
        while (resident.size() < WARM_UP + 2 || System.nanoTime() < end) {
            Round round = new Round(expected, random.split());
            round.run();
            assertEquals(List.of(), round.failures(), "round " + resident.size());
            answers += round.answers();
            trainings += round.trainings();
            changes += round.changes();
            System.gc();
            NativeMemory.trim();
            resident.add(ProcessUsage.residentBytes().orElse(0));
        }
        LOG.info("{} rounds, {} answers, {} trainings, {} changes, resident MB {}", resident.size(), answers, trainings,
                changes, resident.stream().map(bytes -> bytes >> 20).toList());
        assertTrue(answers > 10 * resident.size() && trainings > 0 && changes > resident.size(), "threads did little: "
                + answers + " answers, " + trainings + " trainings, " + changes + " changes");
        long before = resident.get(WARM_UP - 1);
        long after = resident.get(resident.size() - 1);
        assertTrue(after <= before + SLACK_BYTES, "memory grew from " + before + " to " + after + " bytes");
    }
}
