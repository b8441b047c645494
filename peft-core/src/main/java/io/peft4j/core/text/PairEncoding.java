package io.peft4j.core.text;

/**
 * Two texts as one sequence of tokens, with the special tokens between and around them.
 *
 * @param ids token ids
 * @param types which of the texts each token counts to: 0 or 1 ({@code token_type_ids}), or 0 everywhere where the
 *     tokenizer does not tell them apart
 */
public record PairEncoding(int[] ids, int[] types) {
    /** Checks that both have one length. */
    public PairEncoding {
        if (ids.length != types.length) {
            throw new IllegalArgumentException(ids.length + " ids and " + types.length + " types");
        }
    }
}
