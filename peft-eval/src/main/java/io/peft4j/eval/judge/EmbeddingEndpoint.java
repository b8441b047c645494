package io.peft4j.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.List;

/**
 * An embedding model on a server that speaks OpenAI's protocol ({@code POST embeddings}).
 *
 * @param endpoint the server and the model on it
 */
@Internal(shared = true)
public record EmbeddingEndpoint(Endpoint endpoint) implements Embedder {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PATH = "embeddings";

    @Override
    public String name() {
        return endpoint.model();
    }

    @Override
    public List<float[]> embed(List<String> texts) {
        ObjectNode body = JSON.createObjectNode();
        ArrayNode input = body.putArray("input");
        texts.forEach(input::add);
        JsonNode data = endpoint.post(PATH, body).path("data");
        float[][] vectors = new float[texts.size()][];
        for (JsonNode row : data) {
            int index = row.path("index").asInt(-1);
            if (index < 0 || index >= vectors.length || vectors[index] != null) {
                throw endpoint.trouble(PATH, "answers with the index " + row.path("index") + " for " + texts.size()
                        + " texts");
            }
            vectors[index] = vector(row.path("embedding"));
        }
        List<float[]> all = new ArrayList<>();
        for (float[] vector : vectors) {
            if (vector == null || vector.length != vectors[0].length) {
                throw endpoint.trouble(PATH, "answers with " + data.size() + " vectors for " + texts.size()
                        + " texts, or with vectors of different lengths");
            }
            all.add(vector);
        }
        return all;
    }

    private float[] vector(JsonNode values) {
        float[] vector = new float[values.size()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = values.get(i).isNumber() ? values.get(i).floatValue() : Float.NaN;
            if (!Float.isFinite(vector[i])) {
                throw endpoint.trouble(PATH, "answers with a vector that holds " + values.get(i));
            }
        }
        if (vector.length == 0) {
            throw endpoint.trouble(PATH, "answers with an empty vector");
        }
        return vector;
    }
}
