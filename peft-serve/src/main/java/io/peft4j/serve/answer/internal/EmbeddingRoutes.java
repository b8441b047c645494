package io.peft4j.serve.answer.internal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.peft4j.core.error.NearNames;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.serve.api.internal.ModelRoutes;
import io.peft4j.serve.http.internal.ApiException;
import io.peft4j.serve.http.internal.Bodies;
import io.peft4j.serve.http.internal.Caller;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.model.internal.ServedModels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code POST /v1/embeddings}, by models that were made for it. A model that predicts tokens gives no vectors: what a
 * mean of its hidden states would be good for, nobody knows.
 */
public final class EmbeddingRoutes implements RouteGroup {
    private static final int MOST_TEXTS = 2048;

    private final ServedModels models;
    private final Map<String, LanguageModel> embedders;

    /**
     * Embeddings.
     *
     * @param models those that predict tokens, for messages
     * @param embedders those that give vectors, by the names that clients use
     */
    public EmbeddingRoutes(ServedModels models, Map<String, LanguageModel> embedders) {
        this.models = models;
        this.embedders = new LinkedHashMap<>(embedders);
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.post("/v1/embeddings", this::embed);
    }

    private void embed(Context http) {
        Fields fields = new Fields(Bodies.object(http));
        String name = ChatRequest.model(fields);
        LanguageModel model = find(name);
        fields.ignore("user");
        fields.unsupported("dimensions", "vectors are as long as the model makes them");
        String format = fields.text("encoding_format").orElse("float");
        if (!format.equals("float") && !format.equals("base64")) {
            throw ApiException.invalid("encoding_format", "'encoding_format' must be float or base64");
        }
        Optional<String> prompt = fields.text("prompt_name");
        List<String> texts = texts(fields.required("input"));
        fields.requireKnown();
        int tokens = 0;
        for (String text : texts) {
            int count = PromptTokens.of("input", text, model.tokenizer()::encodeWithSpecials).length;
            if (count > model.network().description().maxPositions()) {
                throw ApiException.of(400, "invalid_request_error", "context_length_exceeded", "input", "a text has "
                        + count + " tokens, but the model reads "
                        + model.network().description().maxPositions());
            }
            tokens += count;
        }
        TextEmbedder embedder = new TextEmbedder(model);
        List<float[]> vectors = prompt.map(wanted -> embedder.embed(texts, wanted))
                .orElseGet(() -> embedder.embed(texts));
        Caller.of(http).used(tokens);
        Bodies.reply(http, reply(name, vectors, format.equals("base64"), tokens));
    }

    private LanguageModel find(String name) {
        LanguageModel found = embedders.get(name);
        if (found != null) {
            return found;
        }
        if (models.find(name).isEmpty()) {
            throw ModelRoutes.noSuchModel(models, name);
        }
        throw ApiException.of(400, "invalid_request_error", "model_not_supported", "model", "the model '" + name
                + "' predicts tokens and gives no embeddings; " + (embedders.isEmpty() ? "this server has no model "
                + "that does" : NearNames.sentence(name, embedders.keySet())));
    }

    private static List<String> texts(JsonNode input) {
        if (input.isTextual()) {
            return nonEmpty(List.of(input.textValue()));
        }
        Fields.require(input.isArray() && input.size() > 0, "input", "a string or an array of strings that is not "
                + "empty", input);
        if (input.size() > MOST_TEXTS) {
            throw ApiException.invalid("input", "'input' may have " + MOST_TEXTS + " texts, got " + input.size());
        }
        List<String> texts = new ArrayList<>();
        input.forEach(each -> {
            Fields.require(each.isTextual(), "input", "a string or an array of strings (this model has a tokenizer of "
                    + "its own)", each);
            texts.add(each.textValue());
        });
        return nonEmpty(texts);
    }

    private static List<String> nonEmpty(List<String> texts) {
        if (texts.contains("")) {
            throw ApiException.invalid("input", "'input' has an empty text");
        }
        return texts;
    }

    private static ObjectNode reply(String model, List<float[]> vectors, boolean base64, int tokens) {
        ObjectNode reply = Json.object().put("object", "list");
        ArrayNode data = reply.putArray("data");
        for (int i = 0; i < vectors.size(); i++) {
            ObjectNode entry = data.addObject().put("object", "embedding").put("index", i);
            float[] vector = vectors.get(i);
            if (base64) {
                ByteBuffer bytes = ByteBuffer.allocate(4 * vector.length).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(vector);
                entry.put("embedding", Base64.getEncoder().encodeToString(bytes.array()));
            } else {
                ArrayNode values = entry.putArray("embedding");
                for (float value : vector) {
                    values.add(value);
                }
            }
        }
        reply.put("model", model).putObject("usage").put("prompt_tokens", tokens).put("total_tokens", tokens);
        return reply;
    }
}
