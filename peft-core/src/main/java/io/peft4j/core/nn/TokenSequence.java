package io.peft4j.core.nn;

import java.util.Arrays;
import java.util.Objects;

/**
 * One example as token ids, and which of them are learned.
 *
 * @param ids token ids
 * @param weights weight of each token in the loss, 0 where it is not supervised; the first token is never predicted, so
 *     its weight is not used
 * @param group which of several adapters the sequence runs through, where a batch mixes them; default 0
 * @param types for networks that tell two texts in a sequence apart, which of them each token belongs to
 *     ({@code token_type_ids}); default none, which stands for 0 everywhere
 * @param source for an encoder-decoder, the token ids that its encoder reads; default none
 * @param task the task whose values an adapter with several computes with, from 0; default {@value #NO_TASK}: the
 *     adapter's own
 */
public record TokenSequence(int[] ids, float[] weights, int group, int[] types, int[] source, int task) {
    /** The value if no task is named. */
    public static final int NO_TASK = -1;
    private static final int[] NONE = {};
    private static final int SHOWN = 8;

    /** Checks that ids, weights and types have the same length. */
    public TokenSequence {
        Objects.requireNonNull(ids, "ids");
        Objects.requireNonNull(weights, "weights");
        if (ids.length == 0 || ids.length != weights.length) {
            throw new IllegalArgumentException("a sequence needs at least one token and one weight for each; got "
                    + ids.length + " tokens and " + weights.length + " weights");
        }
        if (types.length != 0 && types.length != ids.length) {
            throw new IllegalArgumentException(types.length + " token types for " + ids.length + " tokens");
        }
        Objects.requireNonNull(source, "source");
    }

    /** A sequence of one text, which no encoder's goes with. */
    public TokenSequence(int[] ids, float[] weights, int group) {
        this(ids, weights, group, NONE, NONE, NO_TASK);
    }

    /** A sequence of group 0. */
    public TokenSequence(int[] ids, float[] weights) {
        this(ids, weights, 0);
    }

    /** The same in another group. */
    public TokenSequence inGroup(int newGroup) {
        return new TokenSequence(ids, weights, newGroup, types, source, task);
    }

    /** The same of a task. */
    public TokenSequence inTask(int newTask) {
        return new TokenSequence(ids, weights, group, types, source, newTask);
    }

    /** The first tokens, where they have no types. */
    public TokenSequence first(int count) {
        return new TokenSequence(Arrays.copyOf(ids, count), Arrays.copyOf(weights, count), group, NONE, source, task);
    }

    /** The same with other weights. */
    public TokenSequence weighted(float... newWeights) {
        return new TokenSequence(ids, newWeights, group, types, source, task);
    }

    /** The same behind {@code count} tokens 0, which are not learned. */
    TokenSequence behind(int count) {
        float[] later = new float[count + weights.length];
        System.arraycopy(weights, 0, later, count, weights.length);
        return new TokenSequence(RowMarks.prepend(count, ids, 0), later, group,
                types.length == 0 ? types : RowMarks.prepend(count, types, 0), source, task);
    }

    /** The same with the text that each token belongs to. */
    public TokenSequence withTypes(int... ofTokens) {
        return new TokenSequence(ids, weights, group, ofTokens, source, task);
    }

    /** The same for an encoder-decoder whose encoder reads these tokens. */
    public TokenSequence withSource(int... ofEncoder) {
        return new TokenSequence(ids, weights, group, types, ofEncoder, task);
    }

    /** A sequence of which every token after the first is predicted. */
    public static TokenSequence allSupervised(int... ids) {
        float[] weights = new float[ids.length];
        Arrays.fill(weights, 1f);
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

    @Override
    public String toString() {
        int shown = Math.min(SHOWN, ids.length);
        String first = Arrays.toString(Arrays.copyOf(ids, shown));
        return ids.length + " tokens " + (shown < ids.length ? first.replace("]", ", ...]") : first) + ", "
                + supervisedTokens() + " of them learned";
    }
}
