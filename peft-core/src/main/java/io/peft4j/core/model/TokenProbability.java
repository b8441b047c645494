package io.peft4j.core.model;

import java.util.List;

/**
 * How likely the model held a token of an answer: by its logits alone, before temperature, penalties and constraints.
 *
 * @param id the token
 * @param text the token as text; a part of a character shows as U+FFFD
 * @param logProbability natural logarithm of its probability
 * @param mostLikely the tokens with the largest probabilities, the largest first, as many as were asked for
 */
public record TokenProbability(int id, String text, double logProbability, List<Alternative> mostLikely) {
    /** Copies the list. */
    public TokenProbability {
        mostLikely = List.copyOf(mostLikely);
    }

    /**
     * A token that could have been.
     *
     * @param id the token
     * @param text the token as text
     * @param logProbability natural logarithm of its probability
     */
    public record Alternative(int id, String text, double logProbability) {
    }
}
