package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.weight.BlockType;
import io.peft4j.models.BaseModel;
import io.peft4j.models.export.AdapterImport;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LoRA adapters in GGUF files: scaled as llama.cpp scales them, and refused where they do not fit. */
class AdapterImportTest {
    private static final String QUERY = "blk.0.attn_q.weight";
    private static final String VALUE = "blk.1.attn_v.weight";

    private final BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
    private final int inputs = linear("model.layers.0.self_attn.q_proj").inFeatures();
    private final int queries = linear("model.layers.0.self_attn.q_proj").outFeatures();
    private final int values = linear("model.layers.1.self_attn.v_proj").outFeatures();

    @TempDir
    private Path folder;

    @Test
    void withoutAnAlphaOrWithAnAlphaOfZeroNothingIsScaled() {
        for (GgufWriter writer : new GgufWriter[] {lora(), lora().float32("adapter.lora.alpha", 0)}) {
            pair(writer, QUERY, 2, inputs, queries);
            pair(writer, VALUE, 4, inputs, values);
            JsonNode config = imported(writer);
            assertEquals(2, config.get("r").asInt());
            assertEquals(2, config.get("lora_alpha").asInt());
            assertEquals("{\"model.layers.1.self_attn.v_proj\":4}", config.get("rank_pattern").toString());
            assertEquals(config.get("rank_pattern"), config.get("alpha_pattern"));
        }
    }

    @Test
    void anAlphaHoldsForAllRanks() {
        GgufWriter writer = lora().float32("adapter.lora.alpha", 8);
        pair(writer, QUERY, 2, inputs, queries);
        pair(writer, VALUE, 4, inputs, values);
        JsonNode config = imported(writer);
        assertEquals(8, config.get("lora_alpha").asInt());
        assertEquals("{}", config.get("alpha_pattern").toString());
    }

    @Test
    void matricesThatDoNotFitTheModelAreRefused() {
        assertRefused("changes a weight " + QUERY + " of the shape [" + queries + ", 5], the base model's is ["
                + queries + ", " + inputs + "]; it was made for another model", pair(lora(), QUERY, 2, 5, queries));
        assertRefused("changes a weight " + QUERY + " of the shape [6, " + inputs + "]",
                pair(lora(), QUERY, 2, inputs, 6));
        assertRefused("which do not have one rank of at least 1", pair(lora(), QUERY, 0, inputs, queries));
        GgufWriter half = pair(lora(), QUERY, 2, inputs, queries);
        matrix(half, VALUE + ".lora_b", values, 2);
        assertRefused("no tensor '" + VALUE + ".lora_a'", half);
        assertRefused("adapter.lora.alpha is NaN", pair(lora().float32("adapter.lora.alpha", Float.NaN), QUERY, 2,
                inputs, queries));
    }

    private void assertRefused(String reason, GgufWriter writer) {
        String message = assertThrows(FileFormatException.class, () -> imported(writer)).getMessage();
        assertTrue(message.contains(reason), message);
        assertFalse(Files.exists(folder.resolve("adapter")));
    }

    private JsonNode imported(GgufWriter writer) {
        Path file = folder.resolve("adapter.gguf");
        writer.write(file);
        Path adapter = folder.resolve("adapter");
        if (Files.exists(adapter)) {
            adapter = folder.resolve("adapter-2");
        }
        AdapterImport.fromGguf(base, file, adapter);
        return Fixtures.json(adapter.resolve("adapter_config.json"));
    }

    private Linear linear(String path) {
        return (Linear) base.network().slots().stream().filter(slot -> slot.path().equals(path)).findFirst()
                .orElseThrow().layer();
    }

    private static GgufWriter lora() {
        return new GgufWriter().string("general.architecture", "llama").string("general.type", "adapter")
                .string("adapter.type", "lora");
    }

    private static GgufWriter pair(GgufWriter writer, String weight, int rank, int inputs, int outputs) {
        matrix(writer, weight + ".lora_a", rank, inputs);
        return matrix(writer, weight + ".lora_b", outputs, rank);
    }

    private static GgufWriter matrix(GgufWriter writer, String name, int rows, int columns) {
        return writer.tensor(name, BlockType.F32, new long[] {rows, columns}, (row, target) -> {
        });
    }
}
