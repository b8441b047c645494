package io.peft4j.core.kernel;

/**
 * The heads of an attention layer. Grouped-query attention: query head {@code h} reads key/value head
 * {@code h / (heads / keyValueHeads)}.
 *
 * @param heads number of query heads
 * @param keyValueHeads number of key and value heads, a divisor of {@code heads}
 * @param headSize D, elements of one head
 * @param scale factor on the scores, usually {@code 1 / sqrt(D)}
 */
public record AttentionShape(int heads, int keyValueHeads, int headSize, float scale) {
    /** Checks that the head counts divide. */
    public AttentionShape {
        if (heads <= 0 || keyValueHeads <= 0 || headSize <= 0 || heads % keyValueHeads != 0) {
            throw new IllegalArgumentException("attention needs positive sizes and a number of heads that is a "
                    + "multiple of the key/value heads; got " + heads + " heads, " + keyValueHeads
                    + " key/value heads, head size " + headSize);
        }
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
