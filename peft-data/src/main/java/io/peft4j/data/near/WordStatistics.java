package io.peft4j.data.near;

import io.peft4j.core.Internal;
import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How often words are seen in a corpus, in a table of fixed size, and which are names (never written small). A rare
 * clash of two words in the table makes one of them look more frequent than it is.
 */
@Internal(shared = true)
public final class WordStatistics implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final int SLOTS = 1 << 20;

    private final int[] small = new int[SLOTS];
    private final int[] capitalInside = new int[SLOTS];

    /**
     * What is written of it: the slots that are not empty.
     *
     * @param slots their numbers
     * @param small how often the words of each were seen small
     * @param capitalInside and how often with a capital letter inside of a sentence
     */
    private record Filled(int[] slots, int[] small, int[] capitalInside) implements Serializable {
        private static final long serialVersionUID = 1L;

        private Object readResolve() {
            WordStatistics read = new WordStatistics();
            for (int i = 0; i < slots.length; i++) {
                read.small[slots[i]] = small[i];
                read.capitalInside[slots[i]] = capitalInside[i];
            }
            return read;
        }
    }

    private Object writeReplace() {
        int[] filled = IntStream.range(0, SLOTS).filter(i -> small[i] != 0 || capitalInside[i] != 0).toArray();
        return new Filled(filled, IntStream.of(filled).map(i -> small[i]).toArray(),
                IntStream.of(filled).map(i -> capitalInside[i]).toArray());
    }

    private static int slot(Word word) {
        return (int) (Hashing.of(word.norm()) >>> 44);
    }

    /** Adds the words of an example. */
    public void add(Corpus.Features features) {
        add(features.questionWords());
        add(features.answerWords());
    }

    /** Adds what another one has seen. */
    public WordStatistics merge(WordStatistics other) {
        for (int i = 0; i < SLOTS; i++) {
            small[i] += other.small[i];
            capitalInside[i] += other.capitalInside[i];
        }
        return this;
    }

    /** Whether a word that {@link Corpus.Features#names} gave is never written small. */
    public boolean isName(String name) {
        return isName(new Word(name, name, false, true, false));
    }

    private void add(List<Word> words) {
        for (Word word : words) {
            if (!word.number()) {
                if (!word.capital()) {
                    small[slot(word)]++;
                } else if (!word.initial()) {
                    capitalInside[slot(word)]++;
                }
            }
        }
    }

    /** Whether a word with a capital letter is a name: inside of a sentence, or elsewhere so and never small. */
    boolean isName(Word word) {
        int slot = slot(word);
        return small[slot] == 0 && (!word.initial() || capitalInside[slot] > 0);
    }

    /** How often a word was seen, those that begin a sentence with a capital letter aside. */
    int sightings(Word word) {
        int slot = slot(word);
        return small[slot] + capitalInside[slot];
    }
}
