package io.peft4j.serve.answer.internal;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.serve.http.internal.ApiException;
import io.peft4j.serve.http.internal.RequestFields;
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

    /**
     * Tokens that a client sends as they are.
     *
     * @param param the field that has them
     * @param model the model whose vocabulary they are of
     */
    static int[] given(String param, JsonNode value, LanguageModel model) {
        int vocabulary = model.network().description().vocabularySize();
        int[] ids = new int[value.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = value.get(i);
            RequestFields.require(id.isIntegralNumber(), param, "an array of strings or tokens", id);
            if (!id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= vocabulary) {
                throw ApiException.invalid(param, "token " + id + " is not one of the vocabulary's " + vocabulary);
            }
            ids[i] = id.intValue();
        }
        return ids;
    }
}
