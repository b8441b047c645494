package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.export.AdapterExport;
import io.peft4j.models.export.AdapterImport;
import io.peft4j.models.export.ModelExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each family of decoders as a GGUF file and back, with the numbers of Hugging Face: the model as it is, and with an
 * adapter merged. Files are left in {@code target/gguf-families}, for {@code check_llama_cpp_families.py}, which holds
 * them to what llama.cpp computes.
 */
class GgufFamiliesTest {
    private static final Path WRITTEN = Path.of("target", "gguf-families");
    private static final List<String> TOKENIZER = List.of("tokenizer.json", "tokenizer_config.json");
    /** What llama.cpp cannot say of a model of a family that it has, by the fixture. */
    private static final Map<String, String> REFUSED = Map.ofEntries(
            Map.entry("llama-dynamic", "the rotary scaling \"dynamic\" cannot be written as GGUF"),
            Map.entry("hunyuan-dynamic", "the rotary scaling \"dynamic\" cannot be written as GGUF"),
            Map.entry("qwen2-window", "the model's use_sliding_window is true"),
            Map.entry("qwen2-moe", "the model's mlp_only_layers is [1]"),
            Map.entry("qwen3-moe", "the model's decoder_sparse_step is 2"),
            Map.entry("qwen3-yarn", "the model's attention_bias is true"),
            Map.entry("gpt-neox-sequential", "the model's hidden_act is \"gelu_new\""),
            Map.entry("gpt2-attention", "the model's scale_attn_by_inverse_layer_idx is true"),
            Map.entry("lfm2-bias", "the model's conv_bias is true"),
            Map.entry("glm", "the model's head_dim is 12"),
            Map.entry("deepseek-v3", "the rotary scaling yarn has mscale 1.0 and mscale_all_dim 0.7"),
            Map.entry("exaone4-window", "in models of 64 layers and in no others, but this one has 3 layers"),
            Map.entry("qwen3-5", "linear_key_head_dim is 4 and linear_value_head_dim 6"),
            Map.entry("granite-hybrid-moe", "time_step_limit is [0.2, 1.5]"),
            Map.entry("olmoe-balanced", "the model's norm_topk_prob is true"),
            Map.entry("olmoe-clipped", "the model's clip_qkv is 0.7"),
            Map.entry("gemma4-experts", "the model's enable_moe_block is true"),
            Map.entry("stablelm-head-norms", "the model's qk_layernorm is true"));

    /** Whose numbers are our own, which others hold to Hugging Face's with another scale of scores, bound of gates. */
    private static final Set<String> CHANGED = Set.of("gemma2", "gemma3", "gpt-oss", "gpt-oss-parameters",
            "lfm2-moe");
    /** Which a GGUF file has without a window or what lies beyond max_position_embeddings, and so up to a length. */
    private static final Map<String, Integer> LIMITED = Map.of("mistral-window", 16, "starcoder2", 16, "hunyuan-long",
            16,
            "phi3-longrope", 24, "mixtral", 16);
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    static Stream<String> families() {
        return Stream.concat(Fixtures.oneOfEachFamily(), REFUSED.keySet().stream()).distinct().sorted();
    }

    @ParameterizedTest
    @MethodSource("families")
    void modelsAndMergedModelsComeBackWithTheirNumbers(String name) throws IOException {
        Path fixture = Fixtures.FOLDER.resolve("families").resolve(name);
        JsonNode expected = Fixtures.json(fixture.resolve("expected.json"));
        int limit = LIMITED.getOrDefault(name, Integer.MAX_VALUE);
        boolean isOwn = CHANGED.contains(name) || LIMITED.containsKey(name);
        List<TokenSequence> texts = Fixtures.stream(expected.get("texts")).map(Fixtures::ids)
                .map(ids -> TokenSequence.allSupervised(Arrays.copyOf(ids, Math.min(limit, ids.length)))).toList();
        Files.createDirectories(WRITTEN);
        try (BaseModel base = load(writable(withTokenizer(fixture)))) {
            Optional<String> refusal = Architectures.of(base.config()).gguf().isPresent()
                    ? Optional.ofNullable(REFUSED.get(name)) : Optional.of("GGUF files can be written for models of");
            if (refusal.isPresent()) {
                String message = assertThrows(ConfigurationException.class,
                        () -> ModelExport.of(base).toGguf(folder.resolve("x.gguf"))).getMessage();
                assertTrue(message.contains(refusal.get()), message);
                assertFalse(Files.exists(folder.resolve("x.gguf")));
                return;
            }
            Path file = WRITTEN.resolve(name + ".gguf");
            ModelExport.of(base).ifExists(IfExists.OVERWRITE).toGguf(file);
            JsonNode nll = isOwn ? own(base, texts) : expected.get("nll_f64");
            checkNumbers(file, texts, nll, name);
            try (PeftModel model = PeftModel.load(base, fixture.resolve("adapter"))) {
                Path merged = WRITTEN.resolve(name + "-merged.gguf");
                ModelExport.of(model).ifExists(IfExists.OVERWRITE).toGguf(merged);
                JsonNode adapted = isOwn ? own(model, texts) : expected.get("adapter_nll_f64");
                checkNumbers(merged, texts, adapted, name + ", merged");
                leave(name, texts, base.config().values(), nll, adapted);
                exportAdapter(base, model, name, texts, Fixtures.json(fixture.resolve("adapter/adapter_config.json")));
            }
        }
    }

    private void exportAdapter(BaseModel base, PeftModel model, String name, List<TokenSequence> texts,
            JsonNode config) {
        Path file = WRITTEN.resolve(name + "-lora.gguf");
        boolean halved = model.adapter(PeftModel.DEFAULT_ADAPTER).layers().stream()
                .anyMatch(layer -> layer.slot().path().endsWith("input_linear"));
        if (config.path("target_parameters").size() > 0 || halved) {
            assertThrows(ConfigurationException.class,
                    () -> AdapterExport.toGguf(model, PeftModel.DEFAULT_ADAPTER, file));
            return;
        }
        AdapterExport.toGguf(model, PeftModel.DEFAULT_ADAPTER, file);
        Path imported = folder.resolve("imported");
        AdapterImport.fromGguf(base, file, imported);
        try (PeftModel again = PeftModel.load(base, imported)) {
            Measure.assertClose(Measure.oneByOne(model, texts), Measure.oneByOne(again, texts), name + ", read again");
        }
        assertThrows(ConfigurationException.class, () -> AdapterImport.fromGguf(base, file, imported));
    }

    @Test
    void anAdapterOnLayersWhoseAdaptersLlamaCppLeavesOutIsRefused() throws IOException {
        Path fixture = Fixtures.FOLDER.resolve("families/deepseek-v3");
        try (BaseModel base = load(withTokenizer(fixture));
                PeftModel model = PeftModel.load(base, fixture.resolve("adapter"))) {
            String message = assertThrows(ConfigurationException.class, () -> AdapterExport.toGguf(model,
                    PeftModel.DEFAULT_ADAPTER, folder.resolve("x.gguf"))).getMessage();
            assertTrue(message.contains("layers whose adapters llama.cpp ignores; merge the adapter instead (8, "
                    + "first: model.layers.0.self_attn.q_a_proj)"), message);
        }
    }

    @ParameterizedTest
    @CsvSource({"qwen3, gelu", "phi3, gelu", "mixtral, gelu", "olmo2, relu", "gemma, silu"})
    void anActivationThatLlamaCppDoesNotComputeIsRefused(String name, String activation) throws IOException {
        Path model = withTokenizer(Fixtures.FOLDER.resolve("families").resolve(name));
        ObjectNode config = (ObjectNode) JSON.readTree(model.resolve("config.json").toFile());
        JSON.writeValue(model.resolve("config.json").toFile(), config.put("hidden_act", activation));
        try (BaseModel base = load(model)) {
            String message = assertThrows(ConfigurationException.class, () -> ModelExport.of(base)
                    .toGguf(folder.resolve("x.gguf"))).getMessage();
            assertTrue(message.contains("the model's hidden_act is \"" + activation + "\", and llama.cpp"), message);
        }
    }

    private static void checkNumbers(Path file, List<TokenSequence> texts, JsonNode nll, String what) {
        try (BaseModel again = load(file)) {
            Measure.assertClose(Fixtures.doubles(nll), Measure.oneByOne(again, texts), what);
        }
    }

    private static JsonNode own(LanguageModel model, List<TokenSequence> texts) {
        return JSON.valueToTree(Measure.oneByOne(model, texts));
    }

    /** What llama.cpp has to say, for the script. */
    private static void leave(String name, List<TokenSequence> texts, JsonNode config, JsonNode nll, JsonNode adapted)
            throws IOException {
        // llama.cpp takes the frequencies of long texts for every length that a context might have.
        JsonNode rope = config.path("rope_parameters");
        int length = rope.has("long_factor") ? rope.path("original_max_position_embeddings").asInt() : 0;
        JSON.writeValue(WRITTEN.resolve(name + ".json").toFile(), Map.of("longer_than", length, "nll", nll,
                "texts", texts.stream().map(TokenSequence::ids).toList(), "adapter_nll", adapted));
    }

    /** Gemma's scores and gpt-oss's gates are scaled and bound as llama.cpp does it, which has no other numbers. */
    private Path writable(Path model) throws IOException {
        Path file = model.resolve("config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        if (config.has("query_pre_attn_scalar")) {
            config.set("query_pre_attn_scalar", config.get("head_dim"));
            JSON.writeValue(file.toFile(), config);
        }
        if (config.has("swiglu_limit")) {
            JSON.writeValue(file.toFile(), config.put("swiglu_limit", 7.0));
        }
        if (config.has("routed_scaling_factor") && config.path("model_type").asText().equals("lfm2_moe")) {
            JSON.writeValue(file.toFile(), config.put("routed_scaling_factor", 1.0));
        }
        return model;
    }

    private static BaseModel load(Path path) {
        return BaseModel.load(path.toString(), ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
    }

    private Path withTokenizer(Path fixture) throws IOException {
        Path target = Files.createDirectory(folder.resolve("model"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(fixture.resolve(file), target.resolve(file));
        }
        for (String file : TOKENIZER) {
            Files.copy(Fixtures.FOLDER.resolve("tiny-llama").resolve(file), target.resolve(file));
        }
        return target;
    }
}
