package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.api.ModelRoutes;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.model.ServedModels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * {@code POST /v1/embeddings}, by models that were made for it. A model that predicts tokens gives no vectors: what a
 * mean of its hidden states would be good for is not known.
 */
final class EmbeddingRoutes implements RouteGroup, Endpoint {
    private final ServedModels models;

    /** Embeddings by those of the models that give them. */
    public EmbeddingRoutes(ServedModels models) {
        this.models = models;
    }

    @Override
    public String path() {
        return "/v1/embeddings";
    }

    @Override
    public void addTo(Routes routes) {
        routes.post(path(), Operation.of("createEmbedding", "Texts as vectors").body("EmbeddingRequest")
                .reply("EmbeddingReply"), http -> Bodies.reply(http, answer(Bodies.object(http), Asker.of(http))));
    }

    @Override
    public ObjectNode answer(ObjectNode body, Asker asker) {
        RequestFields fields = new RequestFields(body);
        String name = ChatRequest.model(fields);
        LanguageModel model = find(name, asker.caller());
        fields.ignore("user");
        Optional<Integer> dimensions = ChatRequest.max(fields, "dimensions");
        String format = fields.text("encoding_format").orElse("float");
        if (!format.equals("float") && !format.equals("base64")) {
            throw ApiException.invalid("encoding_format", "'encoding_format' must be float or base64");
        }
        TextEmbedder embedder = new TextEmbedder(model);
        List<int[]> texts = new EmbeddingInput(model, embedder, fields.text("prompt_name"), asker.look())
                .texts(fields.required("input"));
        fields.requireKnown();
        VectorLength length = VectorLength.of(model);
        asker.leave().run();
        List<float[]> vectors = embedder.embedTokens(texts);
        List<float[]> wanted = dimensions.map(count -> vectors.stream().map(vector -> length.cut(vector, count))
                .toList()).orElse(vectors);
        int tokens = texts.stream().mapToInt(text -> text.length).sum();
        asker.caller().used(tokens);
        return reply(name, wanted, format.equals("base64"), tokens);
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

    /**
     * How short the vectors of a model may be cut. Where {@code config.json} has {@code is_matryoshka} or {@code
     * matryoshka_dimensions}, the model was trained so that the beginning of a vector stands for the whole
     * (<a href="https://arxiv.org/abs/2205.13147">2205.13147</a>); of all others a part is of no known use.
     *
     * @param any whether to any length
     * @param lengths to which ones
     */
    private record VectorLength(boolean any, Set<Integer> lengths) {
        static VectorLength of(LanguageModel model) {
            if (!(model instanceof BaseModel base)) {
                return new VectorLength(false, Set.of());
            }
            JsonNode config = base.config().values();
            Set<Integer> lengths = new TreeSet<>();
            config.path("matryoshka_dimensions").forEach(length -> lengths.add(length.asInt()));
            return new VectorLength(config.path("is_matryoshka").asBoolean() && lengths.isEmpty(), lengths);
        }

        /**
         * A vector of the wanted length; where it was cut, with norm 1.
         *
         * @throws ApiException when the model gives none of that length
         */
        float[] cut(float[] vector, int wanted) {
            if (wanted == vector.length) {
                return vector;
            }
            if (wanted > vector.length || !any && !lengths.contains(wanted)) {
                throw ApiException.invalid("dimensions",
                        "'dimensions' is " + wanted + ", but the vectors of this model "
                                + "have " + vector.length + " numbers" + (any ? " or fewer" : lengths.isEmpty()
                                        ? ", and it says nothing of shorter ones" : " or " + lengths));
            }
            float[] part = Arrays.copyOf(vector, wanted);
            double squares = 0;
            for (float value : part) {
                squares += (double) value * value;
            }
            for (int i = 0; i < wanted && squares > 0; i++) {
                part[i] /= (float) Math.sqrt(squares);
            }
            return part;
        }
    }

    /**
     * The texts of a request for embeddings, as tokens: of a string, of tokens of the model's own, or of several such.
     */
    private static final class EmbeddingInput {
        private static final String FORMS = "a string, an array of tokens, or an array of one of these that "
                + "is not empty";

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
            if (input.size() > Bound.TEXTS.most()) {
                throw ApiException.invalid("input",
                        "'input' may have " + Bound.TEXTS.most() + " texts, got " + input.size());
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
}
