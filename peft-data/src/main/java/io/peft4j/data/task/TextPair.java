package io.peft4j.data.task;

import java.util.List;
import java.util.Objects;

/**
 * Two texts of one meaning, such as a question and a passage that answers it, and perhaps some of other meanings.
 *
 * @param anchor a text
 * @param positive one that is to be near it
 * @param negatives those that are to be far from it
 */
public record TextPair(String anchor, String positive, List<String> negatives) {
    /** Copies the list. */
    public TextPair {
        Objects.requireNonNull(anchor, "anchor");
        Objects.requireNonNull(positive, "positive");
        negatives = List.copyOf(negatives);
    }

    /** Two texts of one meaning, and those of others. */
    public static TextPair of(String anchor, String positive, String... negatives) {
        return new TextPair(anchor, positive, List.of(negatives));
    }
}
