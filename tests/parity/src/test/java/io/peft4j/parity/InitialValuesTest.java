package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.models.BaseModel;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a new adapter begins with where Hugging Face PEFT begins with the same: a text, places that a seed draws. */
class InitialValuesTest {
    @ParameterizedTest
    @CsvSource({"prompt-text, prompt_embeddings", "prompt-long, prompt_embeddings", "shira-seed, shira_indices"})
    void aNewAdapterHasTheTensorsOfTheFixture(String name, String tensors, @TempDir Path folder) {
        Path original = Fixtures.method(name);
        JsonNode expected = Fixtures.json(original.resolve("expected.json"));
        BaseModel base = KernelsUnderTest.sharedNaive(expected.get("model").asText());
        try (PeftModel model = PeftModel.of(base, AdapterCheckpoint.readConfig(original))) {
            assertEquals(expected.get("trainable_parameters").asLong(), model.trainableParameterCount());
            model.saveAdapter(folder);
        }
        int compared = 0;
        try (SafetensorsFile theirs = SafetensorsFile.open(original.resolve(AdapterCheckpoint.WEIGHTS_FILE));
                SafetensorsFile ours = SafetensorsFile.open(folder.resolve(AdapterCheckpoint.WEIGHTS_FILE))) {
            assertEquals(theirs.names(), ours.names());
            for (String key : theirs.names()) {
                if (key.endsWith(tensors)) {
                    assertArrayEquals(bytes(theirs.bytes(key)), bytes(ours.bytes(key)), key);
                    compared++;
                }
            }
        }
        assertEquals(name.equals("shira-seed") ? 6 : 1, compared);
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] copy = new byte[buffer.remaining()];
        buffer.get(copy);
        return copy;
    }
}
