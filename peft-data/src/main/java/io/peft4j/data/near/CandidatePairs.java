package io.peft4j.data.near;

import io.peft4j.core.Internal;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Finds examples that may be related where no machine sees all of them: each is filed under keys, those under one key
 * make pairs, and a pair is compared by its texts. The keys are those by which {@link Corpus} compares.
 */
@Internal(shared = true)
public final class CandidatePairs {
    /** All pairs under a key are looked at up to this number of examples, as in the larger groups of the indices. */
    public static final int CROWD = MinHashIndex.LARGE;

    private final ExampleComparison comparison;

    /**
     * Compares examples of a set.
     *
     * @param statistics the words of all of them
     */
    public CandidatePairs(WordStatistics statistics) {
        this.comparison = new ExampleComparison(statistics);
    }

    /**
     * A key under which an example is filed.
     *
     * @param hash the key
     * @param sieve of two sets of 64 bits most are the same where much is common; 0: all who meet are compared
     */
    public record Key(long hash, long sieve) {
    }

    static void bands(int[] signature, int kind, List<Key> keys) {
        for (int band = 0; signature.length > 0 && band < MinHashIndex.BANDS; band++) {
            keys.add(new Key(Hashing.and(Hashing.and(kind, band), signature[band]), MinHashIndex.sieve(signature)));
        }
    }

    /** Takes pairs of places that are worth a look. */
    @FunctionalInterface
    public interface Pairs {
        /** A pair. */
        void accept(int first, int second);
    }

    /**
     * Tells of the pairs among the examples under one key.
     *
     * @param sieves theirs, in the order of the places 0, 1, ...
     * @param text the text of a place; asked for only where there are more than {@link #CROWD}
     */
    public static void pairs(long[] sieves, IntFunction<String> text, Pairs pairs) {
        int[] places = new int[sieves.length];
        Arrays.setAll(places, i -> i);
        OversizedGroup.pairs(places, CROWD, text, (a, b) -> {
            if (sieves[a] == 0 || MinHashIndex.passSieve(sieves[a], sieves[b])) {
                pairs.accept(a, b);
            }
        });
    }

    /** Whether two texts of {@link Corpus.Features#text} ask the same, or tell the same fact. */
    public boolean related(String first, String second) {
        RowText a = RowText.of(first);
        RowText b = RowText.of(second);
        return comparison.sameQuestion(a, b) || Corpus.isFact(a.answer()) && Corpus.isFact(b.answer())
                && comparison.sameAnswer(a, b);
    }
}
