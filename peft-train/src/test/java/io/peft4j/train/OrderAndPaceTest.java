package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The order of the examples, seeds, and the time that is left. */
class OrderAndPaceTest {
    @Test
    void everyEpochIsAnOrderOfItsOwnThatTheSeedDetermines() {
        int[] all = IntStream.range(0, 100).toArray();
        Set<String> orders = new HashSet<>();
        for (long seed = 0; seed < 20; seed++) {
            for (int epoch = 0; epoch < 20; epoch++) {
                int[] order = EpochOrder.of(100, seed, epoch, true);
                assertArrayEquals(order, EpochOrder.of(100, seed, epoch, true));
                orders.add(Arrays.toString(order));
                int[] sorted = order.clone();
                Arrays.sort(sorted);
                assertArrayEquals(all, sorted);
            }
        }
        assertEquals(400, orders.size());
        assertArrayEquals(all, EpochOrder.of(100, 1, 1, false));
    }

    @Test
    void everyPlaceComesUpEquallyOften() {
        int[][] counts = new int[5][5];
        for (int epoch = 0; epoch < 5000; epoch++) {
            int[] order = EpochOrder.of(5, 42, epoch, true);
            for (int i = 0; i < 5; i++) {
                counts[i][order[i]]++;
            }
        }
        // Binomial with p = 1/5: 1000 expected, standard deviation 28; five of them come by chance once in a million.
        Arrays.stream(counts).flatMapToInt(Arrays::stream).forEach(count -> assertEquals(1000, count, 142));
    }

    @Test
    void neighbouringNumbersGiveUnrelatedSeeds() {
        Set<Long> seeds = new HashSet<>();
        for (long seed = 0; seed < 30; seed++) {
            for (long step = 0; step < 30; step++) {
                for (long from = 0; from < 30; from++) {
                    seeds.add(Seeds.mix(seed, step, from));
                }
            }
        }
        assertEquals(27_000, seeds.size());
        assertNotEquals(Seeds.mix(1, 2, 3), Seeds.mix(1, 3, 2));
        // Half of the bits differ between neighbours: 32 with a standard deviation of 4 each.
        double bits = IntStream.range(0, 1000).map(i -> Long.bitCount(Seeds.mix(7, i) ^ Seeds.mix(7, i + 1))).average()
                .orElseThrow();
        assertEquals(32, bits, 1);
    }

    @Test
    void theTimeLeftFollowsTheTokensAndForgetsTheFirstUpdate() {
        Pace pace = new Pace(1000);
        // 100 tokens in 20 s: 900 are left.
        assertEquals(180, pace.secondsLeft(100, 20, 50), 1e-9);
        // The next 200 take 10 s with an evaluation in between, so 700 take 35.
        assertEquals(35, pace.secondsLeft(200, 8, 60), 1e-9);
        assertEquals(0, pace.secondsLeft(700, 35, 95), 1e-9);
    }
}
