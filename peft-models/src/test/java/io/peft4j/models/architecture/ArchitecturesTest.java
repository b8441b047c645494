package io.peft4j.models.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.models.architecture.internal.ConfigKeys;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models of families and with options that are not known. */
class ArchitecturesTest {
    private static final Path TINY = Path.of("src/test/resources/fixtures/tiny-llama");
    private static final String SIZES = "\"vocab_size\": 384, \"hidden_size\": 32, \"intermediate_size\": 64, "
            + "\"num_hidden_layers\": 3, \"num_attention_heads\": 4, \"num_key_value_heads\": 2, "
            + "\"tie_word_embeddings\": true";

    private static ModelConfig config(String json) {
        try {
            return new ModelConfig(Path.of("config.json"), new ObjectMapper().readTree("{" + json + "}"));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(json, e);
        }
    }

    private static Set<String> tensors(String... layers) {
        return Stream.of(layers).map(layer -> "model.layers.0." + layer + ".weight").collect(Collectors.toSet());
    }

    @Test
    void anUnknownFamilyIsComparedWithTheNearestKnownOne() {
        String message = assertThrows(FileFormatException.class, () -> Architectures.of(
                config("\"model_type\": \"phi9\", " + SIZES + ", \"mixing_depth\": 3"),
                tensors("self_attn.qkv_proj", "self_attn.o_proj", "mlp.gate_up_proj", "mlp.down_proj", "mlp.mixer")))
                .getMessage();
        assertTrue(message.contains("unsupported model_type \"phi9\"; the nearest is \"phi3\", which has no layers "
                + "[mixer]; and no known family reads the keys [mixing_depth]; supported are"), message);
    }

    @Test
    void familiesWithTheSameLayersAreToldApartByName() {
        String message = assertThrows(FileFormatException.class, () -> Architectures.of(
                config("\"model_type\": \"olmo9\", " + SIZES), Safetensors.open(TINY).names())).getMessage();
        assertTrue(message.contains("the nearest is \"olmo"), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "\"rope_scaling\": {\"rope_type\": \"spiral\"};rope_type is spiral",
        "\"hidden_act\": \"swoosh\";unknown activation 'swoosh'",
        "\"quantization_config\": {\"quant_method\": \"gptq\"};quantization_config is gptq",
        "\"rope_scaling\": {\"rope_type\": \"longrope\", \"short_factor\": [1]};short_factor has 1"})
    void whatIsNotSupportedIsNamed(String option, String expected) {
        ModelConfig config = config("\"model_type\": \"llama\", " + SIZES + ", " + option);
        try (WeightLoader weights = new WeightLoader(Safetensors.open(TINY), WeightType.F32)) {
            String message = assertThrows(RuntimeException.class,
                    () -> Architectures.of(config).build("tiny", config, weights)).getMessage();
            assertTrue(message.contains(expected), message);
        }
    }

    @Test
    void keysThatNobodyReadsAreFoundAlsoInside() throws Exception {
        ModelConfig config = config("\"model_type\": \"llama\", " + SIZES + ", \"clip_qkv\": 8, \"use_cache\": true, "
                + "\"alibi\": false, \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 2, \"bend\": 3}");
        try (WeightLoader weights = new WeightLoader(Safetensors.open(TINY), WeightType.F32);
                AutoCloseable network = Architectures.of(config).build("tiny", config, weights)) {
            assertEquals(Set.of("clip_qkv", "rope_scaling.bend"), ConfigKeys.unknown(config));
        }
    }
}
