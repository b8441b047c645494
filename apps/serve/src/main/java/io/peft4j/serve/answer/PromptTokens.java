package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.text.TokenBound;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.RequestFields;
import java.util.function.Function;

/** The tokens of texts that clients send. */
final class PromptTokens {
    private PromptTokens() {
    }

    /**
     * Encodes a text, unless it is far too long. Tokenizers take millions of characters, more than any model reads, and
     * refuse what is longer.
     *
     * @param param the field that has the text
     * @param most the most tokens that the model reads
     * @param look runs before each piece of a long text; may throw to give up
     */
    static int[] of(String param, String text, int most, Function<String, int[]> tokenizer, Runnable look) {
        try {
            Function<String, int[]> pieces = piece -> {
                look.run();
                return tokenizer.apply(piece);
            };
            int tokens = TokenBound.beyond(text, most, pieces);
            if (tokens > 0) {
                throw tooLong(param, "This model's maximum context length is " + most + " tokens, but the text of "
                        + text.length() + " characters has at least " + tokens + ". Shorten it.");
            }
            return TokenBound.of(text, pieces);
        } catch (ApiException e) {
            throw e;
        } catch (PeftException e) {
            throw tooLong(param, "the tokenizer of this model takes no text of " + text.length()
                    + " characters. Shorten it.");
        }
    }

    private static ApiException tooLong(String param, String message) {
        return ApiException.of(400, "invalid_request_error", "context_length_exceeded", param, message);
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
