package io.peft4j.data.task;

import java.util.List;

/**
 * The words of a text with a label each.
 *
 * @param words the words
 * @param labels names or numbers of their labels, for instance {@code B-PER}
 */
public record LabelledWords(List<String> words, List<String> labels) {
    /** Copies the lists and checks that they have one length. */
    public LabelledWords {
        words = List.copyOf(words);
        labels = List.copyOf(labels);
        if (words.isEmpty() || words.size() != labels.size()) {
            throw new IllegalArgumentException(words.size() + " words with " + labels.size() + " labels");
        }
    }
}
