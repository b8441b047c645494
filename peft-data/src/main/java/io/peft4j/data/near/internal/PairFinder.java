package io.peft4j.data.near.internal;

import java.util.Arrays;
import java.util.function.IntFunction;

/** Runs through the likely pairs of an index, judges them on all processors, and joins those that belong together. */
final class PairFinder {
    private static final int CHUNK = 1 << 14;
    private static final int REMEMBERED = 1 << 20;

    /** Judges a pair. May be called by many threads at once. */
    @FunctionalInterface
    interface Judge {
        boolean belongTogether(int first, int second);
    }

    private final Groups groups;
    private final Judge judge;
    /** Pairs that were judged before, by their hash; meeting in another band they need not be judged again. */
    private final long[] judged = new long[REMEMBERED];
    private final long[] chunk = new long[CHUNK];
    private int pending;

    PairFinder(Groups groups, Judge judge) {
        this.groups = groups;
        this.judge = judge;
    }

    void run(MinHashIndex index, int[] chosen, IntFunction<String> text) {
        index.pairs(chosen, text, this::offer);
        flush();
    }

    /** Judges the pairs of questions of a corpus. */
    void runQuestions(Corpus corpus, boolean... leftOut) {
        corpus.questionPairs(leftOut, this::offer);
        flush();
    }

    /** Takes a pair that may belong together. */
    void offer(int first, int second) {
        long pair = (long) first << 32 | second;
        int slot = (int) (Hashing.mix(pair) >>> 44);
        if (judged[slot] == pair || groups.together(first, second)) {
            return;
        }
        judged[slot] = pair;
        chunk[pending++] = pair;
        if (pending == CHUNK) {
            flush();
        }
    }

    /** Judges what is pending. */
    void flush() {
        long[] found = Arrays.stream(chunk, 0, pending).parallel()
                .filter(pair -> judge.belongTogether((int) (pair >> 32), (int) pair)).toArray();
        for (long pair : found) {
            groups.join((int) (pair >> 32), (int) pair);
        }
        pending = 0;
    }
}
