package io.peft4j.data.near;

import java.util.List;

/**
 * How often words are seen in a corpus, in a table of fixed size: which are names (never written small) and which are
 * frequent. A rare clash of two words in the table makes one of them look more frequent than it is.
 */
final class WordStatistics {
    private static final int SLOTS = 1 << 20;
    private static final int FREQUENT = 3;

    private final byte[] small = new byte[SLOTS];
    private final byte[] capitalInside = new byte[SLOTS];

    private static int slot(Word word) {
        return (int) (Hashing.of(word.norm()) >>> 44);
    }

    void add(List<Word> words) {
        for (Word word : words) {
            if (!word.number()) {
                if (!word.capital()) {
                    count(small, slot(word));
                } else if (!word.initial()) {
                    count(capitalInside, slot(word));
                }
            }
        }
    }

    private static void count(byte[] counts, int slot) {
        if (counts[slot] < Byte.MAX_VALUE) {
            counts[slot]++;
        }
    }

    /** Whether a word with a capital letter is a name: inside of a sentence, or elsewhere so and never small. */
    boolean isName(Word word) {
        int slot = slot(word);
        return small[slot] == 0 && (!word.initial() || capitalInside[slot] > 0);
    }

    /** Whether a word is more than a slip of the pen. */
    boolean isFrequent(Word word) {
        int slot = slot(word);
        return small[slot] + capitalInside[slot] >= FREQUENT;
    }
}
