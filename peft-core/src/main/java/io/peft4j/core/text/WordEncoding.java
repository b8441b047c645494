package io.peft4j.core.text;

/**
 * The tokens of words, without special tokens.
 *
 * @param ids token ids
 * @param words for each token the number of the word that it is a piece of
 */
public record WordEncoding(int[] ids, int[] words) {
    /** Checks that both have one length. */
    public WordEncoding {
        if (ids.length != words.length) {
            throw new IllegalArgumentException(ids.length + " ids and " + words.length + " words");
        }
    }
}
