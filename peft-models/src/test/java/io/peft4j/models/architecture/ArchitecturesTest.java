package io.peft4j.models.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.safetensors.Safetensors;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models of families and with options that are not known. */
class ArchitecturesTest {
    private static final Path TINY = Path.of("../tests/fixtures/tiny-llama");
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
    void codeNamedByAConfigurationIsNeverLoaded() {
        String code = ", \"auto_map\": {\"AutoModelForCausalLM\": \"modeling_own.OwnForCausalLM\"}";
        assertEquals(Architectures.of(config("\"model_type\": \"llama\", " + SIZES)).getClass(),
                Architectures.of(config("\"model_type\": \"llama\", " + SIZES + code)).getClass());
        assertThrows(FileFormatException.class, () -> Architectures.of(config("\"model_type\": \"own\", " + SIZES
                + code), tensors("self_attn.q_proj")));
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

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "llama;num_hidden_layers;2000000000;num_hidden_layers is 2000000000",
        "gpt_neox;rotary_pct;1e9;the rotated part of a head",
        "stablelm;partial_rotary_factor;0;the rotated part of a head",
        "gpt2;n_head;7;n_head is 7",
        "mixtral;num_experts_per_tok;9;9 experts for each token, but there are 4",
        "deepseek_v3;n_group;8;n_group is 8",
        "qwen3;num_key_value_heads;3;must be a multiple"})
    void sizesThatCannotBeAreRefused(String family, String key, String value, String expected) throws Exception {
        ObjectNode values = (ObjectNode) new ObjectMapper().readTree("{" + SIZES + ", \"n_embd\": 32, \"n_layer\": 2, "
                + "\"num_local_experts\": 4, \"qk_nope_head_dim\": 4, \"qk_rope_head_dim\": 4, \"v_head_dim\": 4, "
                + "\"kv_lora_rank\": 4, \"moe_intermediate_size\": 4}");
        values.put("model_type", family).set(key, new ObjectMapper().readTree(value));
        ModelConfig config = new ModelConfig(Path.of("config.json"), values);
        try (WeightLoader weights = new WeightLoader(Safetensors.open(TINY), WeightType.F32)) {
            String message = assertThrows(PeftException.class,
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
