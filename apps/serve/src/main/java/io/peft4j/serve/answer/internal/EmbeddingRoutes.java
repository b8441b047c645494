package io.peft4j.serve.answer.internal;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.serve.api.internal.ModelRoutes;
import io.peft4j.serve.http.internal.ApiException;
import io.peft4j.serve.http.internal.Bodies;
import io.peft4j.serve.http.internal.Caller;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.http.internal.LongRequests;
import io.peft4j.serve.http.internal.Operation;
import io.peft4j.serve.http.internal.RequestFields;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.http.internal.Routes;
import io.peft4j.serve.model.internal.ServedModels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * {@code POST /v1/embeddings}, by models that were made for it. A model that predicts tokens gives no vectors: what a
 * mean of its hidden states would be good for, nobody knows.
 */
public final class EmbeddingRoutes implements RouteGroup {
    private final ServedModels models;

    /** Embeddings by those of the models that give them. */
    public EmbeddingRoutes(ServedModels models) {
        this.models = models;
    }

    @Override
    public void addTo(Routes routes) {
        routes.post("/v1/embeddings", Operation.of("createEmbedding", "Texts as vectors").body("EmbeddingRequest")
                .reply("EmbeddingReply"), this::embed);
    }

    private void embed(Context http) {
        RequestFields fields = new RequestFields(Bodies.object(http));
        String name = ChatRequest.model(fields);
        LanguageModel model = find(name, Caller.of(http));
        fields.ignore("user");
        Optional<Integer> dimensions = ChatRequest.max(fields, "dimensions");
        String format = fields.text("encoding_format").orElse("float");
        if (!format.equals("float") && !format.equals("base64")) {
            throw ApiException.invalid("encoding_format", "'encoding_format' must be float or base64");
        }
        TextEmbedder embedder = new TextEmbedder(model);
        List<int[]> texts = new EmbeddingInput(model, embedder, fields.text("prompt_name"),
                () -> LongRequests.requireClient(http))
                .texts(fields.required("input"));
        fields.requireKnown();
        VectorLength length = VectorLength.of(model);
        LongRequests.leave(http);
        List<float[]> vectors = embedder.embedTokens(texts);
        List<float[]> wanted = dimensions.map(count -> vectors.stream().map(vector -> length.cut(vector, count))
                .toList()).orElse(vectors);
        int tokens = texts.stream().mapToInt(text -> text.length).sum();
        Caller.of(http).used(tokens);
        Bodies.reply(http, reply(name, wanted, format.equals("base64"), tokens));
    }

    private LanguageModel find(String name, Caller caller) {
        return models.embedder(name, caller).orElseThrow(() -> ModelRoutes.unsuitable(models, name, caller,
                "gives no embeddings", models.embedderNames(caller)));
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
