package io.peft4j.core.nn;

import java.util.Objects;

/**
 * One example as token ids, and which of them are learned.
 *
 * @param ids token ids
 * @param weights weight of each token in the loss, 0 where it is not supervised; the first token is never predicted, so
 *     its weight is not used
 * @param group which of several adapters the sequence runs through, where a batch mixes them; default 0
 */
public record TokenSequence(int[] ids, float[] weights, int group) {
    /** Checks that both have the same length. */
    public TokenSequence {
        Objects.requireNonNull(ids, "ids");
        Objects.requireNonNull(weights, "weights");
        if (ids.length == 0 || ids.length != weights.length) {
            throw new IllegalArgumentException("a sequence needs at least one token and one weight for each; got "
                    + ids.length + " tokens and " + weights.length + " weights");
        }
    }

    /** A sequence of group 0. */
    public TokenSequence(int[] ids, float[] weights) {
        this(ids, weights, 0);
    }

    /** The same in another group. */
    public TokenSequence inGroup(int newGroup) {
        return new TokenSequence(ids, weights, newGroup);
    }

    /** A sequence of which every token after the first is predicted. */
    public static TokenSequence allSupervised(int... ids) {
        float[] weights = new float[ids.length];
        java.util.Arrays.fill(weights, 1f);
        return new TokenSequence(ids, weights);
    }

    /** A sequence of which no token is predicted. */
    public static TokenSequence unsupervised(int... ids) {
        return new TokenSequence(ids, new float[ids.length]);
    }

    /** The number of tokens. */
    public int length() {
        return ids.length;
    }

    /** The number of supervised tokens: those after the first with a weight other than 0. */
    public int supervisedTokens() {
        int count = 0;
        for (int i = 1; i < weights.length; i++) {
            count += weights[i] != 0 ? 1 : 0;
        }
        return count;
    }
}
