package io.peft4j.models.generation.internal;

import io.peft4j.core.nn.TokenSequence;

/**
 * A prompt as token ids.
 *
 * @param tokens what the answer follows
 * @param source for an encoder-decoder, what its encoder reads; otherwise none
 * @param task the task that it is computed as; {@link TokenSequence#NO_TASK} where no adapter has tasks
 */
record EncodedPrompt(int[] tokens, int[] source, int task) {
    private static final int[] NONE = {};

    /** The number of tokens in all. */
    int length() {
        return tokens.length + source.length;
    }

    /** The prompt of a decoder. */
    static EncodedPrompt of(int... tokens) {
        return new EncodedPrompt(tokens, NONE, TokenSequence.NO_TASK);
    }

    /** As what a network is given it. */
    TokenSequence sequence() {
        return TokenSequence.unsupervised(tokens).withSource(source).inTask(task);
    }
}
