package io.peft4j.data.task;

import java.util.List;
import java.util.stream.IntStream;

/**
 * The words of a text with a label each.
 *
 * @param words the words
 * @param labels names or numbers of their labels, for instance {@code B-PER}; {@value #NOT_LABELLED} where a word has
 *     none
 */
public record LabelledWords(List<String> words, List<String> labels) {
    /** Stands for the label of a word that has none: nothing is learned of it, and it is not evaluated. */
    public static final String NOT_LABELLED = "-100";

    /** Copies the lists and checks that they have one length. */
    public LabelledWords {
        words = List.copyOf(words);
        labels = List.copyOf(labels);
        if (words.isEmpty() || words.size() != labels.size()) {
            throw new IllegalArgumentException(words.size() + " words with " + labels.size() + " labels");
        }
    }

    /** Whether a word has a label. */
    public boolean isLabelled(int word) {
        return !labels.get(word).equals(NOT_LABELLED);
    }

    /** Of a list with a value for each word those of the words that have a label. */
    public <T> List<T> labelled(List<T> values) {
        return IntStream.range(0, labels.size()).filter(this::isLabelled).<T>mapToObj(values::get).toList();
    }
}
