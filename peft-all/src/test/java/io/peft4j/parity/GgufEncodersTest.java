package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.models.BaseModel;
import io.peft4j.models.export.ModelExport;
import io.peft4j.models.hub.ModelLocator;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encoders out of GGUF files that the package {@code gguf} wrote under llama.cpp's names. */
class GgufEncodersTest {
    private static final Path FILES = Fixtures.FOLDER.resolve("gguf");

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"bert", "roberta"})
    void embeddingsAreThoseOfTransformersPooledAsTheFileSays(String name) {
        List<JsonNode> rows = Fixtures.stream(Fixtures.json("gguf/expected.json").get(name)).toList();
        try (BaseModel model = KernelsUnderTest.naive("gguf/" + name + ".gguf")) {
            List<float[]> vectors = new TextEmbedder(model).embed(rows.stream().map(row -> row.get("text").asText())
                    .toList());
            assertTrue(rows.size() > 5);
            for (int i = 0; i < rows.size(); i++) {
                assertArrayEquals(Fixtures.doubles(rows.get(i).get("embedding")), Arrays.doubles(vectors.get(i)), 2e-5,
                        rows.get(i).get("text").asText());
            }
        }
    }

    @Test
    void aFileSaysWhatItIsFor() {
        assertEquals(Task.EMBEDDING, BaseModel.taskOf(ModelLocator.fromEnvironment().locate(
                FILES.resolve("bert.gguf").toString())));
    }

    @Test
    void filesOfEncodersAreNotWritten() {
        try (BaseModel model = KernelsUnderTest.naive("gguf/bert.gguf")) {
            String message = assertThrows(ConfigurationException.class, () -> ModelExport.of(model)
                    .toGguf(folder.resolve("bert.gguf"))).getMessage();
            assertTrue(message.contains("GGUF files can be written for models of the types"), message);
            assertTrue(message.endsWith("not for bert"), message);
        }
    }
}
