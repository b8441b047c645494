package io.peft4j.models.decoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.array.Arena;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.WeightType;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** What Gemma 4 has that no other family has, beside the numbers that {@code FamiliesTest} compares. */
class Gemma4FamilyTest {
    private static final Path FOLDER = Path.of("../tests/fixtures/families/gemma4");

    private final ModelConfig config = ModelConfig.read(FOLDER.resolve("config.json"));
    private final CausalNetwork network = new Gemma4Family().build("gemma4", config,
            new WeightLoader(Safetensors.open(FOLDER), WeightType.F32));

    @AfterEach
    void close() {
        network.close();
    }

    @Test
    void embeddingsOfTheLayersStayInTheFileWhateverTheOtherWeightsAre() {
        FrozenWeight table = network.slots().stream().filter(slot -> slot.name().equals("embed_tokens_per_layer"))
                .map(slot -> ((Embedding) slot.layer()).table()).findFirst().orElseThrow();
        assertEquals(BlockType.BF16, ((BlockWeight) table).type());
        assertEquals(5 * 12, table.columns());
        Predicate<String> inFile = new Gemma4Family().staysInFile(config);
        assertTrue(inFile.test("model.language_model.embed_tokens_per_layer.weight"));
        assertFalse(inFile.test("model.embed_tokens.weight"));
    }

    @Test
    void layersThatShareKeysAndValuesTakeNoMemoryOfACache() {
        try (KvCache cache = network.newCache(10)) {
            // Two windowed layers with heads of 8, one with full sight of 12; keys and values of 4 bytes.
            assertEquals(10 * (8 + 8 + 12) * 2 * 4, cache.bytes());
            assertSame(cache.keys(1), cache.keys(3));
            assertSame(cache.values(2), cache.values(4));
        }
        assertEquals(3, network.slots().stream().filter(slot -> slot.layer() instanceof SelfAttention).count(),
                "layers that have keys and values of their own");
    }

    @Test
    void layersAreNeitherRepeatedNorOmitted() {
        assertEquals(List.of(), network.decoderLayers());
        String message = assertThrows(ConfigurationException.class, () -> network.withLayers(List.of(0, 1)))
                .getMessage();
        assertTrue(message.contains("none can be repeated or omitted"), message);
    }

    @Test
    void virtualTokensAreRefused() {
        try (NaiveKernels kernels = new NaiveKernels();
                Arena arena = new Arena();
                Tape tape = Tape.inference(kernels, arena, DataType.FLOAT)) {
            PackedBatch batch = PackedBatch.of(List.of(TokenSequence.unsupervised(5, 6))).withVirtualTokens(1);
            String message = assertThrows(ConfigurationException.class, () -> network.hidden(ForwardContext
                    .evaluation(tape, batch, LayerSelection.BASE))).getMessage();
            assertTrue(message.contains("use a method without virtual tokens"), message);
        }
    }

    @Test
    void whatIsNotSupportedIsNamed() {
        assertRefused("the key num_experts is missing", values -> values.put("enable_moe_block", true));
        assertRefused("use_bidirectional_attention is all", values -> values.put("use_bidirectional_attention",
                "all"));
        assertRefused("num_kv_shared_layers is 5", values -> values.put("num_kv_shared_layers", 5));
        assertRefused("num_kv_shared_layers is 3", values -> values.put("num_kv_shared_layers", 3));
    }

    private void assertRefused(String part, Consumer<ObjectNode> change) {
        ObjectNode values = config.values().deepCopy();
        change.accept(values);
        String message = assertThrows(FileFormatException.class, () -> new Gemma4Family().plan(new ModelConfig(
                config.file(), values))).getMessage();
        assertTrue(message.contains(part), message);
    }
}
