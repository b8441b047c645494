package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.OneOrMany;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.config.TokenIndices;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.lora.init.LoraInit;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** LoRA's configuration against Hugging Face PEFT's. */
class LoraConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static String defaults() throws IOException {
        try (InputStream in = LoraConfigTest.class.getResourceAsStream("lora_defaults.json")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static LoraConfig read(String json) {
        return (LoraConfig) PeftMethods.readConfig(json, "adapter_config.json");
    }

    private static LoraConfig with(String key, String value) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(defaults());
        json.set(key, JSON.readTree(value));
        return read(json.toString());
    }

    @Test
    void defaultsEqualPeftsByteForByte() throws IOException {
        assertEquals(defaults(), LoraConfig.builder().build().toJson());
        assertEquals(defaults(), read(defaults()).toJson());
        assertEquals(LoraConfig.builder().build().toBuilder().common(read(defaults()).common()).build(),
                read(defaults()));
    }

    @Test
    void aFileOfAnOlderVersionTakesTheDefaults() {
        LoraConfig config = read("""
                {"peft_type": "LORA", "r": 16, "lora_alpha": 32, "target_modules": ["q_proj"]}""");
        assertEquals(LoraConfig.builder().rank(16).alpha(32).targetModules("q_proj").build(), config);
    }

    @Test
    void allValuesAreReadAndWritten() throws IOException {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        ranks.put("v_proj", 3);
        ranks.put("layers\\.0.*", 2);
        LoraConfig config = LoraConfig.builder().rank(5).alpha(2.5).dropout(0.25).targetModules("q_proj", "v_proj")
                .excludeModules(TargetModules.regex(".*x")).bias(Bias.ADAPTED).rsLora(true).rankPattern(ranks)
                .alphaPattern(Map.of("q_proj", 7.0)).layersToTransform(OneOrMany.one(1)).layersPattern("layers", "h")
                .modulesToSave("lm_head").initialization(LoraInit.RANDOM).loraBias(true)
                .invocationTokens(7, 0, 7).build();
        LoraConfig read = read(config.toJson());
        assertEquals(config, read.withCommon(config.common()));
        assertEquals(List.of("v_proj", "layers\\.0.*"), List.copyOf(read.rankPattern().keySet()));
        assertEquals(1, JSON.readTree(config.toJson()).get("layers_to_transform").intValue());
    }

    @Test
    void unsupportedSettingsAreRefused() {
        String message = assertThrows(ConfigurationException.class, () -> with("megatron_config", "{\"x\": 1}"))
                .getMessage();
        assertTrue(message.contains("megatron_config") && message.contains("is not supported"), message);
    }

    @Test
    void variantsWithinAreReadWithTheirDefaults() throws IOException {
        assertEquals(Optional.of(new Velora(64, 2, Velora.Direction.FIRST_AVERAGE)),
                with("velora_config", "{\"scale\":2, \"init_type\":\"batch_average_once\"}").velora());
        LoraConfig config = with("monteclora_config", "{\"num_samples\":5}");
        assertEquals(Optional.of(Monteclora.of(5)), config.monteclora());
        assertEquals("{\"buffer_size\":150,\"dirichlet_prior\":0.1,\"kl_loss_weight\":1.0E-5,\"num_samples\":5,"
                + "\"sample_scaler\":1.0E-4,\"use_entropy\":false}",
                JSON.readTree(config.toJson()).get("monteclora_config").toString());
    }

    /** What quantizes in another way is kept for Hugging Face PEFT. */
    @Test
    void settingsWithoutEffectAreKeptWithAWarning() throws IOException {
        String key = "use_qalora";
        String value = "true";
        PrintStream errors = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        LoraConfig config;
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
        try {
            config = with(key, value);
        } finally {
            System.setErr(errors);
        }
        String warning = log.toString(StandardCharsets.UTF_8);
        assertTrue(warning.contains(key + " has no effect, because it "), warning);
        assertEquals(value, JSON.readTree(config.toJson()).get(key).toString());
    }

    @Test
    void anInvocationIsAListOfTokens() throws IOException {
        assertEquals(List.of(1, 87), with("alora_invocation_tokens", "[1, 87]").invocationTokens());
        assertTrue(JSON.readTree(LoraConfig.builder().build().toJson()).get("alora_invocation_tokens").isNull());
        LoraConfigBuilder waiting = LoraConfig.builder().invocationTokens(1);
        assertThrows(ConfigurationException.class, () -> waiting.dora(true).build());
        assertThrows(ConfigurationException.class, () -> waiting.dora(false).initialization(LoraInit.PISSA)
                .build());
        assertThrows(ConfigurationException.class, () -> LoraConfig.builder().invocationTokens(-1).build());
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"pissa_niter_x\"", "null", "1"})
    void unknownInitializationsAreRefused(String value) {
        String message = assertThrows(ConfigurationException.class, () -> with("init_lora_weights", value))
                .getMessage();
        assertTrue(message.contains("init_lora_weights is " + value), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "eva; eva_config; {\"rho\": 1.5, \"tau\": 0.9, \"use_label_mask\": false, \"label_mask_value\": -1, "
                + "\"whiten\": true, \"adjust_scaling_factors\": false}",
        "corda; corda_config; {\"cache_file\": null, \"covariance_file\": \"c\", \"corda_method\": \"kpm\", "
                + "\"verbose\": false, \"use_float16_for_covariance\": false, \"prune_temporary_fields\": true}",
        "loftq; loftq_config; {\"loftq_bits\": 8, \"loftq_iter\": 2}",
        "lora_ga; lora_ga_config; {\"direction\": \"ArBr\", \"scale\": \"unit\", \"stable_gamma\": 4}"})
    void initializationsHaveTheirOwnConfiguration(String name, String key, String value) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(defaults());
        json.put("init_lora_weights", name);
        LoraConfig byDefault = read(json.toString());
        json.set(key, JSON.readTree(value));
        LoraConfig config = read(json.toString());
        assertEquals(json, JSON.readTree(config.toJson()));
        assertNotEquals(byDefault, config);
        assertEquals(config, read(config.toJson()));
        ((ObjectNode) json.get(key)).put("unknown", 1);
        assertThrows(ConfigurationException.class, () -> read(json.toString()));
        ((ObjectNode) json.get(key)).remove("unknown");
        // With another start it is kept as it is.
        json.put("init_lora_weights", true);
        assertEquals(json, JSON.readTree(read(json.toString()).toJson()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"eva; eva_config; {\"rho\": 0.5}", "eva; eva_config; {\"tau\": 2}",
        "corda; corda_config; {\"corda_method\": \"x\"}", "lora_ga; lora_ga_config; {\"direction\": \"x\"}",
        "corda; corda_config; {\"use_float16_for_covariance\": true}", "lora_ga; lora_ga_config; {\"scale\": \"x\"}",
        "loftq; loftq_config; {\"loftq_bits\": 2}", "loftq; loftq_config; {\"loftq_iter\": 0}",
        "lora_ga; lora_ga_config; {\"stable_gamma\": 0}", "eva; eva_config; [1]"})
    void invalidInitializationSettingsAreRefused(String name, String key, String value) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(defaults());
        json.put("init_lora_weights", name).set(key, JSON.readTree(value));
        String message = assertThrows(ConfigurationException.class, () -> read(json.toString())).getMessage();
        assertTrue(message.contains("adapter_config.json: " + key), message);
    }

    @Test
    void valuesOfKeysWithoutAFieldAreKept() throws IOException {
        LoraConfig config = with("qalora_group_size", "32");
        assertEquals(32, JSON.readTree(config.toJson()).get("qalora_group_size").intValue());
    }

    @Test
    void tokensAreReadInBothForms() throws IOException {
        assertEquals(TokenIndices.of(4, 1), with("trainable_token_indices", "[4, 1]").trainableTokens());
        LoraConfig byLayer = with("trainable_token_indices", "{\"lm_head\": [7], \"embed_tokens\": [2, 3]}");
        assertEquals(TokenIndices.byLayer(Map.of("lm_head", List.of(7), "embed_tokens", List.of(2, 3))),
                byLayer.trainableTokens());
        assertEquals(byLayer, read(byLayer.toJson()));
    }

    @Test
    void layersAreReadAndWritten() throws IOException {
        LoraConfig config = with("layer_replication", "[[0, 4], [2, 5]]");
        assertEquals(List.of(new LayerRange(0, 4), new LayerRange(2, 5)), config.layerReplication());
        assertEquals(JSON.readTree("[[0, 4], [2, 5]]"), JSON.readTree(config.toJson()).get("layer_replication"));
        for (String wrong : List.of("[[0]]", "[[1, 1]]", "[[-1, 2]]", "[0, 1]", "[[0, 1, 2]]", "true")) {
            assertThrows(ConfigurationException.class, () -> with("layer_replication", wrong));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"[1, 1]", "[-1]", "{\"embed_tokens\": []}", "{\"embed_tokens\": [3, 3]}", "\"x\"", "[1.5]"})
    void invalidTokensAreRefused(String value) {
        assertThrows(ConfigurationException.class, () -> with("trainable_token_indices", value));
    }

    @Test
    void invalidValuesAreRefused() {
        assertThrows(ConfigurationException.class, () -> LoraConfig.builder().rank(0).build());
        assertThrows(ConfigurationException.class, () -> LoraConfig.builder().dropout(1).build());
        assertThrows(ConfigurationException.class, () -> LoraConfig.builder().alpha(Double.NaN).build());
        assertThrows(ConfigurationException.class, () -> LoraConfig.builder().rankPattern(Map.of("x", 0)).build());
        assertThrows(ConfigurationException.class, () -> LoraConfig.builder().layersPattern("layers").build());
        assertThrows(ConfigurationException.class, () -> LoraConfig.builder().loraBias(true)
                .initialization(LoraInit.GAUSSIAN).build());
        assertThrows(ConfigurationException.class, () -> LoraConfig.builder().loraBias(true).dora(true).build());
        assertThrows(ConfigurationException.class, () -> with("bias", "\"some\""));
        assertThrows(ConfigurationException.class, () -> with("rank_pattern", "{\"q_proj\": 1.5}"));
        assertThrows(ConfigurationException.class, () -> with("layers_to_transform", "[-1]"));
    }

    @Test
    void commonOptionsHaveKeys() throws IOException {
        PeftMethod method = PeftMethods.byName("lora");
        ObjectNode json = (ObjectNode) JSON.readTree(defaults());
        method.optionKeys().values().forEach(key -> assertTrue(json.has(key), key));
    }
}
