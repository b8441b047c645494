package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.pack.PackOptions.Strategy;
import io.peft4j.data.pack.Seeds;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.EncodedExamples;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** The order of the examples, seeds, and the time that is left. */
class OrderAndPaceTest {
    @Test
    void everyEpochHasItsOwnSeededOrder() {
        int[] all = IntStream.range(0, 100).toArray();
        Set<String> orders = new HashSet<>();
        for (long seed = 0; seed < 20; seed++) {
            for (int epoch = 0; epoch < 20; epoch++) {
                int[] order = order(100, seed, epoch, true);
                assertArrayEquals(order, order(100, seed, epoch, true));
                orders.add(Arrays.toString(order));
                int[] sorted = order.clone();
                Arrays.sort(sorted);
                assertArrayEquals(all, sorted);
            }
        }
        assertEquals(400, orders.size());
        assertArrayEquals(all, order(100, 1, 1, false));
    }

    /** The examples of an epoch, as updates of four and a batch of three see them. */
    private static int[] order(int examples, long seed, int epoch, boolean shuffle) {
        EncodedExamples set = EncodedExamples.of(IntStream.range(0, examples)
                .mapToObj(i -> TokenSequence.allSupervised(i, i)).toList());
        UpdateSampler sampler = new UpdateSampler(set, TrainingOptions.of(100_000, 3, 2e-4).toBuilder()
                .gradientAccumulation(4).seed(seed).shuffle(shuffle).build());
        long first = (long) epoch * sampler.stepsPerEpoch();
        return LongStream.range(first, first + sampler.stepsPerEpoch()).boxed()
                .flatMapToInt(
                        step -> sampler.batches(step).stream().flatMap(List::stream).mapToInt(s -> s.whole().ids()[0]))
                .toArray();
    }

    @Test
    void updatesOfAnyPackingSeeEveryExampleOnceAnEpoch() {
        SplittableRandom random = new SplittableRandom(3);
        for (Strategy strategy : Strategy.values()) {
            for (int tokens : strategy == Strategy.IN_ORDER ? new int[] {0} : new int[] {0, 90}) {
                List<TokenSequence> sequences = IntStream.range(0, 101).mapToObj(i -> {
                    int[] ids = new int[2 + random.nextInt(40)];
                    Arrays.fill(ids, i);
                    return TokenSequence.allSupervised(ids);
                }).toList();
                UpdateSampler sampler = new UpdateSampler(EncodedExamples.of(sequences),
                        TrainingOptions.of(3, 4, 2e-4).toBuilder().gradientAccumulation(2).seed(9).packing(strategy)
                                .packTokens(tokens).build());
                long total = sequences.stream().mapToLong(TokenSequence::length).sum();
                Set<String> epochs = new HashSet<>();
                for (int epoch = 0; epoch < 3; epoch++) {
                    List<Integer> seen = new ArrayList<>();
                    for (int i = 0; i < sampler.stepsPerEpoch(); i++) {
                        long step = (long) epoch * sampler.stepsPerEpoch() + i;
                        assertEquals(epoch + seen.size() / 101.0, sampler.epochs(step), 1e-12);
                        assertEquals(3 * total - epoch * total - seen.stream().mapToLong(n -> sequences.get(n).length())
                                .sum(), sampler.tokens(step, sampler.totalSteps()));
                        for (List<EncodedExample> batch : sampler.batches(step)) {
                            assertTrue(tokens == 0 ? batch.size() <= 4 : strategy == Strategy.SHARED_PREFIXES
                                    || batch.stream().mapToLong(EncodedExample::tokens).sum() <= tokens);
                            batch.forEach(example -> seen.add(example.whole().ids()[0]));
                        }
                    }
                    epochs.add(seen.toString());
                    assertEquals(IntStream.range(0, 101).boxed().toList(), seen.stream().sorted().toList());
                }
                assertEquals(3, epochs.size(), strategy + ": each epoch has an order of its own");
            }
        }
    }

    @Test
    void shufflingIsUniform() {
        int[][] counts = new int[5][5];
        for (int epoch = 0; epoch < 5000; epoch++) {
            int[] order = order(5, 42, epoch, true);
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
    void remainingTimeFollowsTokensAndIgnoresTheFirstUpdate() {
        RemainingTime pace = new RemainingTime(1000);
        // 100 tokens in 20 s: 900 are left.
        assertEquals(180, pace.secondsLeft(100, 20, 50), 1e-9);
        // The next 200 take 10 s with an evaluation in between, so 700 take 35.
        assertEquals(35, pace.secondsLeft(200, 8, 60), 1e-9);
        assertEquals(0, pace.secondsLeft(700, 35, 95), 1e-9);
    }
}
