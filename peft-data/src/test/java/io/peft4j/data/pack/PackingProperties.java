package io.peft4j.data.pack;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** Packing loses no token, whatever the sequences and the options are. */
class PackingProperties {
    private static final int LONGEST = 60;

    /** Few different tokens, so that many sequences begin alike. */
    @Provide
    Arbitrary<List<TokenSequence>> sequences() {
        Arbitrary<int[]> ids = Arbitraries.integers().between(0, 2).array(int[].class).ofMinSize(1).ofMaxSize(LONGEST);
        Arbitrary<TokenSequence> sequence = Combinators.combine(ids, Arbitraries.of(true, true, true, false))
                .as((tokens, learned) -> learned ? TokenSequence.allSupervised(tokens)
                        : TokenSequence.unsupervised(tokens));
        return sequence.list().ofMinSize(1).ofMaxSize(60);
    }

    @Provide
    Arbitrary<PackOptions> options() {
        return Combinators.combine(Arbitraries.integers().between(LONGEST, 200), Arbitraries.integers().between(1, 12),
                Arbitraries.of(PackOptions.Strategy.values()), Arbitraries.of(true, false), Arbitraries.of(true, false),
                Arbitraries.longs()).as(PackOptions::new);
    }

    @Property(tries = 500, seed = "106")
    void everySequenceIsInOneBatchThatIsNotTooLarge(@ForAll("sequences") List<TokenSequence> sequences,
            @ForAll("options") PackOptions options, @ForAll @IntRange(max = 4) int epoch) {
        List<int[]> batches = BatchPlan.of(sequences, options, epoch);
        int[] seen = batches.stream().flatMapToInt(Arrays::stream).sorted().toArray();
        assertArrayEquals(IntStream.range(0, sequences.size()).toArray(), seen);
        long learned = 0;
        for (int[] batch : batches) {
            List<TokenSequence> members = Arrays.stream(batch).mapToObj(sequences::get).toList();
            assertTrue(batch.length >= 1 && batch.length <= options.sequences());
            PackedBatch packed = options.sharePrefixes() ? PackedBatch.sharingPrefixes(members)
                    : PackedBatch.of(members);
            int tokens = members.stream().mapToInt(TokenSequence::length).sum();
            boolean shared = options.sharePrefixes() && options.strategy() == PackOptions.Strategy.SHARED_PREFIXES;
            // The engine shares beginnings of four tokens and more only: three of each neighbour are not saved.
            assertTrue(shared ? packed.rows() <= options.tokens() + 4 * batch.length : tokens <= options.tokens());
            assertTrue(options.sharePrefixes() || packed.rows() == tokens);
            learned += packed.targets().count();
        }
        assertEquals(sequences.stream().mapToLong(TokenSequence::supervisedTokens).sum(), learned);
    }

    @Property(tries = 200, seed = "107")
    void everyEpochHasAsManyBatchesAndIsResumedAnywhere(@ForAll("sequences") List<TokenSequence> sequences,
            @ForAll("options") PackOptions options, @ForAll @IntRange(max = 60) int epoch) {
        assertArrayEquals(BatchPlan.of(sequences, options, epoch).toArray(int[][]::new),
                BatchPlan.of(sequences, options, epoch).toArray(int[][]::new));
        if (options.strategy() != PackOptions.Strategy.IN_ORDER) {
            assertEquals(BatchPlan.of(sequences, options, 0).size(), BatchPlan.of(sequences, options, 7).size());
        }
    }
}
