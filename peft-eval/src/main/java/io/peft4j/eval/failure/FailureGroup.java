package io.peft4j.eval.failure;

import java.util.List;
import java.util.Objects;

/**
 * Wrong answers that have something in common.
 *
 * @param common the term that their questions share, or {@code other}
 * @param items indexes of the wrong items
 * @param itemsLikeThese number of all items that share the term
 * @param meanWords mean length of the questions in words
 * @param trainingSimilarity mean similarity of the questions to the nearest training example, from 0 to 1; NaN where
 *     the training data is not known
 * @param examplesToCollect about how many training examples like these would help
 */
public record FailureGroup(String common, List<Integer> items, int itemsLikeThese, double meanWords,
        double trainingSimilarity, int examplesToCollect) {
    /** Copies the list. */
    public FailureGroup {
        Objects.requireNonNull(common, "common");
        items = List.copyOf(items);
    }
}
