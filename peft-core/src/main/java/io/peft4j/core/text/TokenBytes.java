package io.peft4j.core.text;

/** The bytes that single tokens add to a text: of a character that takes several tokens, each has a part. */
public interface TokenBytes {
    /**
     * What a token adds to a text in UTF-8; empty where it adds nothing, or where the vocabulary has a hole.
     *
     * @param id a token id below {@link Tokenizer#vocabSize()}
     */
    byte[] of(int id);

    /** Whether a space that a text would begin with is left out, as by tokenizers that put one before every text. */
    boolean dropsFirstSpace();
}
