package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real model of sentence-transformers: all-MiniLM-L6-v2. */
@Tag("model")
class MiniLmTest {
    @Test
    void embeddingsAreThoseOfSentenceTransformers() {
        JsonNode expected = Fixtures.json("minilm/expected.json");
        List<String> texts = Fixtures.stream(expected.get("texts")).map(JsonNode::asText).toList();
        ModelOptions options = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
        try (BaseModel model = BaseModel.load("sentence-transformers/all-MiniLM-L6-v2", options)) {
            List<float[]> vectors = new TextEmbedder(model).embed(texts);

            assertEquals(256, model.network().description().maxPositions(), "what the folder says");
            for (int i = 0; i < vectors.size(); i++) {
                assertArrayEquals(Fixtures.doubles(expected.get("embeddings").get(i)), Arrays.doubles(vectors.get(i)),
                        1e-5, texts.get(i));
            }
        }
    }
}
