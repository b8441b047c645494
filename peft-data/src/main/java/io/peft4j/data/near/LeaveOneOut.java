package io.peft4j.data.near;

import java.util.Arrays;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Finds short questions that differ in at most one word of topic, exactly and without comparing all with all: each
 * question is filed under the sum of its words' hashes, and under that sum without each of its words in turn. Its
 * numbers, the first of the hashes, are never left out: with another number it is another question.
 */
final class LeaveOneOut {
    /** Longer questions are left to MinHash. */
    static final int MOST_WORDS = 24;
    /** All pairs of a group are looked at up to this size, in larger ones those that stand near in two orders. */
    private static final int LARGE = 32;

    private int[] words = new int[1 << 12];
    private int[] ends = new int[1024];
    private int size;

    /**
     * Adds a question; its number is the number of questions before it.
     *
     * @param hashes one hash of all its numbers, then those of its words; empty for a question that is too long
     */
    void add(int... hashes) {
        int from = size == 0 ? 0 : ends[size - 1];
        if (from + hashes.length > words.length) {
            words = Arrays.copyOf(words, Math.max(2 * words.length, from + hashes.length));
        }
        if (size == ends.length) {
            ends = Arrays.copyOf(ends, 2 * size);
        }
        System.arraycopy(hashes, 0, words, from, hashes.length);
        ends[size++] = from + hashes.length;
    }

    /** Whether a question is short enough to stand here. */
    boolean holds(int number) {
        return ends[number] > begin(number);
    }

    private int begin(int number) {
        return number == 0 ? 0 : ends[number - 1];
    }

    /**
     * Tells of pairs; one may be told of several times.
     *
     * @param chosen the questions that are looked at
     * @param text texts to order large groups by
     * @param pairs told of each pair
     */
    void pairs(int[] chosen, IntFunction<String> text, CandidatePairs.Pairs pairs) {
        int total = 0;
        for (int number : chosen) {
            total += ends[number] - begin(number);
        }
        long[] filed = new long[total];
        int next = 0;
        for (int number : chosen) {
            int from = begin(number);
            long sum = 0;
            for (int i = from; i < ends[number]; i++) {
                sum += Hashing.mix(words[i]);
            }
            for (int i = from + 1; i < ends[number]; i++) {
                filed[next++] = filed(sum - Hashing.mix(words[i]), number);
            }
            if (holds(number)) {
                filed[next++] = filed(sum, number);
            }
        }
        Arrays.parallelSort(filed);
        int from = 0;
        while (from < filed.length) {
            int to = from + 1;
            while (to < filed.length && filed[to] >> 32 == filed[from] >> 32) {
                to++;
            }
            if (to - from > 1) {
                OversizedGroup.pairs(Arrays.stream(filed, from, to).mapToInt(x -> (int) x).distinct().toArray(), LARGE,
                        text, pairs);
            }
            from = to;
        }
    }

    /** The keys under which a question is filed: the same for two that differ in at most one word. */
    static LongStream keys(int... hashes) {
        if (hashes.length == 0) {
            return LongStream.empty();
        }
        long sum = IntStream.of(hashes).mapToLong(Hashing::mix).sum();
        return LongStream.concat(LongStream.of(sum), IntStream.range(1, hashes.length)
                .mapToLong(i -> sum - Hashing.mix(hashes[i]))).distinct();
    }

    private static long filed(long sum, int number) {
        return Hashing.mix(sum) & 0xFFFFFFFF00000000L | number;
    }
}
