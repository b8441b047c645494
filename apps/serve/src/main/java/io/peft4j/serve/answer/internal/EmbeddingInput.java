package io.peft4j.serve.answer.internal;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.serve.http.internal.ApiException;
import io.peft4j.serve.http.internal.RequestFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The texts of a request for embeddings, as tokens: of a string, of tokens of the model's own, or of several such. */
final class EmbeddingInput {
    private static final int MOST_TEXTS = 2048;
    private static final String FORMS = "a string, an array of tokens, or an array of one of these that is not empty";

    private final LanguageModel model;
    private final TextEmbedder embedder;
    private final Optional<String> prompt;
    private final Runnable look;

    /**
     * Texts for a model.
     *
     * @param prompt the name of the prompt that is put before strings; empty for the model's default
     * @param look runs before each piece of a long text; may throw to give up
     */
    EmbeddingInput(LanguageModel model, TextEmbedder embedder, Optional<String> prompt, Runnable look) {
        this.look = look;
        this.model = model;
        this.embedder = embedder;
        this.prompt = prompt;
    }

    List<int[]> texts(JsonNode input) {
        RequestFields.require(input.isTextual() || input.isArray() && input.size() > 0, "input", FORMS, input);
        if (input.isTextual() || input.get(0).isNumber()) {
            return List.of(text(input));
        }
        if (input.size() > MOST_TEXTS) {
            throw ApiException.invalid("input", "'input' may have " + MOST_TEXTS + " texts, got " + input.size());
        }
        List<int[]> texts = new ArrayList<>();
        input.forEach(each -> texts.add(text(each)));
        return texts;
    }

    private int[] text(JsonNode value) {
        RequestFields.require(value.isTextual() || value.isArray(), "input", FORMS, value);
        if (value.isEmpty() && value.asText().isEmpty()) {
            throw ApiException.invalid("input", "'input' has an empty text");
        }
        int[] tokens = value.isArray() ? PromptTokens.given("input", value, model) : encoded(value.textValue());
        if (tokens.length > embedder.maxTokens()) {
            throw ApiException.of(400, "invalid_request_error", "context_length_exceeded", "input", "a text has "
                    + tokens.length + " tokens, but the model reads " + embedder.maxTokens());
        }
        return tokens;
    }

    private int[] encoded(String text) {
        try {
            embedder.tokens("", prompt);
        } catch (ConfigurationException e) {
            throw ApiException.invalid("prompt_name", e.getMessage());
        }
        return PromptTokens.of("input", text, embedder.maxTokens(), each -> embedder.tokens(each, prompt),
                look);
    }
}
