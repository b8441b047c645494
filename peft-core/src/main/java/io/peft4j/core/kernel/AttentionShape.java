package io.peft4j.core.kernel;

import io.peft4j.core.Internal;

/**
 * The heads of an attention layer. Grouped-query attention: query head {@code h} reads key/value head
 * {@code h / (heads / keyValueHeads)}.
 *
 * @param heads number of query heads
 * @param keyValueHeads number of key and value heads, a divisor of {@code heads}
 * @param headSize D, elements of one head
 * @param scale factor on the scores, usually {@code 1 / sqrt(D)}
 * @param softCap bound of the scores, which become {@code softCap * tanh(score / softCap)}, as in Gemma 2; 0: none
 */
@Internal(shared = true)
public record AttentionShape(int heads, int keyValueHeads, int headSize, float scale, float softCap) {
    /** Checks that the head counts divide. */
    public AttentionShape {
        if (heads <= 0 || keyValueHeads <= 0 || headSize <= 0 || heads % keyValueHeads != 0) {
            throw new IllegalArgumentException("attention needs positive sizes and a number of heads that is a "
                    + "multiple of the key/value heads; got " + heads + " heads, " + keyValueHeads
                    + " key/value heads, head size " + headSize);
        }
        if (!(softCap >= 0 && softCap < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("the soft cap of attention scores must be 0 (none) or more, got "
                    + softCap);
        }
    }

    /** Heads without a soft cap. */
    public AttentionShape(int heads, int keyValueHeads, int headSize, float scale) {
        this(heads, keyValueHeads, headSize, scale, 0);
    }

    /** Columns of the queries: heads x D. */
    public int queryColumns() {
        return heads * headSize;
    }

    /** Columns of the keys and of the values: key/value heads x D. */
    public int keyColumns() {
        return keyValueHeads * headSize;
    }
}
