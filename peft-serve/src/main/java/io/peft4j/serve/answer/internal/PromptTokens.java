package io.peft4j.serve.answer.internal;

import io.peft4j.core.error.PeftException;
import io.peft4j.serve.http.internal.ApiException;
import java.util.function.Function;

/** The tokens of texts that clients send. */
final class PromptTokens {
    private PromptTokens() {
    }

    /**
     * Encodes a text. Tokenizers take millions of characters, more than any model reads, and refuse what is longer.
     *
     * @param param the field that has the text
     */
    static int[] of(String param, String text, Function<String, int[]> tokenizer) {
        try {
            return tokenizer.apply(text);
        } catch (PeftException e) {
            throw ApiException.of(400, "invalid_request_error", "context_length_exceeded", param, "the tokenizer of "
                    + "this model takes no text of " + text.length() + " characters. Shorten it.");
        }
    }
}
