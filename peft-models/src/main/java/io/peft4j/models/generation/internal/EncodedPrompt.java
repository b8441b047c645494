package io.peft4j.models.generation.internal;

/**
 * A prompt as token ids.
 *
 * @param tokens what the answer follows
 * @param source for an encoder-decoder, what its encoder reads; otherwise none
 */
record EncodedPrompt(int[] tokens, int[] source) {
    private static final int[] NONE = {};

    /** The number of tokens in all. */
    int length() {
        return tokens.length + source.length;
    }

    /** The prompt of a decoder. */
    static EncodedPrompt of(int... tokens) {
        return new EncodedPrompt(tokens, NONE);
    }
}
