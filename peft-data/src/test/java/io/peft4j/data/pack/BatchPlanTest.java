package io.peft4j.data.pack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Strategies do what they are for; the order is that of the seed and the epoch, and can be resumed. */
class BatchPlanTest {
    @Test
    void bestFitNeedsFewBatchesAndBucketsHaveOneLength() {
        SplittableRandom random = new SplittableRandom(9);
        List<TokenSequence> sequences = sequences(3000, 500, random);
        long tokens = sequences.stream().mapToLong(TokenSequence::length).sum();
        PackOptions options = PackOptions.ofTokens(1024);
        int best = BatchPlan.of(sequences, options, 0).size();
        int inOrder = BatchPlan.of(sequences, options.strategy(PackOptions.Strategy.IN_ORDER), 0).size();
        assertTrue(best <= 1.01 * tokens / 1024 + 1, best + " batches of " + tokens + " tokens");
        assertTrue(best < inOrder);
        for (int[] batch : BatchPlan.of(sequences, options.strategy(PackOptions.Strategy.LENGTH_BUCKETS), 0)) {
            int[] lengths = Arrays.stream(batch).map(i -> sequences.get(i).length()).sorted().toArray();
            // The shortest, of which many fill a batch, span some more lengths.
            assertTrue(lengths[lengths.length - 1] - lengths[0] <= (lengths[0] < 50 ? 40 : 12),
                    Arrays.toString(lengths));
        }
    }

    @Test
    void sharedPrefixesAreBatchedAndComputedOnce() {
        List<TokenSequence> sequences = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            int[] ids = new int[60];
            Arrays.setAll(ids, t -> t);
            Arrays.fill(ids, 0, 50, 1000 + i % 10);
            ids[55] = i;
            sequences.add(TokenSequence.allSupervised(ids));
        }
        PackOptions options = PackOptions.ofTokens(160);
        int shared = BatchPlan.of(sequences, options.strategy(PackOptions.Strategy.SHARED_PREFIXES), 0).size();
        assertTrue(shared <= 10, shared + " batches");
        assertEquals(50, BatchPlan.of(sequences, options, 0).size());
    }

    @Test
    void theOrderFollowsSeedAndEpochAndCanBeResumed() {
        List<TokenSequence> sequences = sequences(50, 40, new SplittableRandom(1));
        PackOptions options = PackOptions.ofTokens(64).seed(5);
        for (int epoch = 0; epoch < 3; epoch++) {
            assertEquals(batches(sequences, options, epoch), batches(sequences, options, epoch));
        }
        assertNotEquals(batches(sequences, options, 0), batches(sequences, options, 1));
        assertNotEquals(batches(sequences, options, 0).get(0), batches(sequences, options.seed(6), 0).get(0));
    }

    private static List<String> batches(List<TokenSequence> sequences, PackOptions options, int epoch) {
        return BatchPlan.of(sequences, options, epoch).stream().map(Arrays::toString).toList();
    }

    @Test
    void overlongSequencesAreRefused() {
        assertThrows(ConfigurationException.class, () -> BatchPlan.of(List.of(TokenSequence.allSupervised(1, 2, 3)),
                PackOptions.ofTokens(2), 0));
        assertThrows(ConfigurationException.class, () -> BatchPlan.of(List.of(), PackOptions.ofTokens(2), 0));
        assertThrows(ConfigurationException.class, () -> PackOptions.ofTokens(0));
    }

    private static List<TokenSequence> sequences(int count, int longest, SplittableRandom random) {
        List<TokenSequence> sequences = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] ids = random.ints(1 + random.nextInt(longest), 0, random.nextBoolean() ? 2 : 100).toArray();
            sequences.add(random.nextInt(5) == 0 ? TokenSequence.unsupervised(ids) : TokenSequence.allSupervised(ids));
        }
        return sequences;
    }
}
