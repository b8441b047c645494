package io.peft4j.data.near;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.IntFunction;

/**
 * Finds pairs of sets that are likely to have much in common, without comparing all with all: MinHash (Broder: On the
 * resemblance and containment of documents, 1997) with locality-sensitive hashing in {@value #BANDS} bands of
 * {@value #ROWS} rows. Two sets with a Jaccard similarity of 0.6 meet in at least one band with probability 0.992, of
 * 0.5 with 0.93, of 0.2 with 0.15. Pairs that meet are sieved once more by one bit of each of the 60 hashes.
 */
final class MinHashIndex {
    static final int BANDS = 20;
    static final int ROWS = 3;
    private static final int HASHES = BANDS * ROWS;
    private static final long[] FACTORS = new SplittableRandom(0x5EED).longs(HASHES).map(x -> x | 1).toArray();
    private static final long[] OFFSETS = new SplittableRandom(0x0FF5E7).longs(HASHES).toArray();
    /** Of 60 + 4 bits two sets share 34 + 30 J on average; 44 is 2.6 deviations below that of a similarity of 0.6. */
    private static final int LEAST_BITS = 44;
    /** All pairs of a bucket are looked at up to this size, in larger ones those that stand near in two orders. */
    static final int LARGE = 64;

    private final int[][] bands;
    private long[] bits = new long[1024];
    private int size;

    MinHashIndex() {
        bands = new int[BANDS][1024];
    }

    /** The signature of a set: a key a band, then two halves of the sieve. */
    static int[] signature(long[] shingles, int count, long block) {
        long[] least = new long[HASHES];
        Arrays.fill(least, Long.MAX_VALUE);
        for (int s = 0; s < count; s++) {
            long x = shingles[s];
            for (int h = 0; h < HASHES; h++) {
                long value = x * FACTORS[h] + OFFSETS[h];
                value ^= value >>> 32;
                least[h] = Math.min(least[h], value);
            }
        }
        int[] signature = new int[BANDS + 2];
        long sieve = 0;
        for (int band = 0; band < BANDS; band++) {
            long key = Hashing.and(block, band);
            for (int row = 0; row < ROWS; row++) {
                long value = Hashing.mix(least[band * ROWS + row]);
                sieve = sieve << 1 | value & 1;
                key = Hashing.and(key, value);
            }
            signature[band] = (int) (key >>> 32);
        }
        signature[BANDS] = (int) (sieve >>> 32);
        signature[BANDS + 1] = (int) sieve;
        return signature;
    }

    /** Adds a set; its number is the number of sets before it. */
    void add(int... signature) {
        if (size == bits.length) {
            bits = Arrays.copyOf(bits, 2 * size);
            for (int band = 0; band < BANDS; band++) {
                bands[band] = Arrays.copyOf(bands[band], 2 * size);
            }
        }
        for (int band = 0; band < BANDS; band++) {
            bands[band][size] = signature[band];
        }
        bits[size] = sieve(signature);
        size++;
    }

    /**
     * Reports pairs; one that meets in several bands is reported several times.
     *
     * @param chosen the sets that are looked at
     * @param text texts to order large buckets by
     * @param pairs told of each pair
     */
    void pairs(int[] chosen, IntFunction<String> text, CandidatePairs.Pairs pairs) {
        CandidatePairs.Pairs sieved = (a, b) -> {
            if (passSieve(a, b)) {
                pairs.accept(a, b);
            }
        };
        long[] sorted = new long[chosen.length];
        for (int[] band : bands) {
            for (int i = 0; i < chosen.length; i++) {
                sorted[i] = (long) band[chosen[i]] << 32 | chosen[i] & 0xFFFFFFFFL;
            }
            Arrays.parallelSort(sorted);
            int from = 0;
            while (from < sorted.length) {
                int to = from + 1;
                while (to < sorted.length && sorted[to] >> 32 == sorted[from] >> 32) {
                    to++;
                }
                if (to - from > 1) {
                    OversizedGroup.pairs(Arrays.stream(sorted, from, to).mapToInt(x -> (int) x).toArray(), LARGE, text,
                            sieved);
                }
                from = to;
            }
        }
    }

    private boolean passSieve(int a, int b) {
        return passSieve(bits[a], bits[b]);
    }

    /** Whether two sieves let a pair through. */
    static boolean passSieve(long a, long b) {
        return Long.bitCount(~(a ^ b)) >= LEAST_BITS;
    }

    /** The sieve of a signature. */
    static long sieve(int... signature) {
        return (long) signature[BANDS] << 32 | signature[BANDS + 1] & 0xFFFFFFFFL;
    }
}
