package io.peft4j.data.task;

import java.util.Objects;
import java.util.Optional;

/**
 * Two texts of one meaning, such as a question and a passage that answers it, and perhaps one of another meaning.
 *
 * @param anchor a text
 * @param positive one that is to be near it
 * @param negative one that is to be far from it
 */
public record TextPair(String anchor, String positive, Optional<String> negative) {
    /** Refuses null. */
    public TextPair {
        Objects.requireNonNull(anchor, "anchor");
        Objects.requireNonNull(positive, "positive");
        Objects.requireNonNull(negative, "negative");
    }

    /** Two texts of one meaning. */
    public static TextPair of(String anchor, String positive) {
        return new TextPair(anchor, positive, Optional.empty());
    }
}
