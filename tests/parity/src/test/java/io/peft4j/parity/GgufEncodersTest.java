package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.init.LoraInit;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.AdapterExport;
import io.peft4j.models.export.AdapterImport;
import io.peft4j.models.export.ModelExport;
import io.peft4j.models.hub.ModelLocator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Encoders out of GGUF files that the package {@code gguf} wrote with llama.cpp's names, and into such files. They are
 * left in {@code target/gguf-encoders}, for {@code check_llama_cpp_encoders.py}, which holds them to llama.cpp.
 */
class GgufEncodersTest {
    private static final Path FILES = Fixtures.FOLDER.resolve("gguf");

    private static final Path WRITTEN = Path.of("target", "gguf-encoders");
    private static final List<String> TEXTS = List.of("I was charged twice for my invoice.", "a",
            "The notice period is ninety days; who approves it?", "Z\u00fcrich is not in Paris");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"bert", "roberta", "modern-bert"})
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

    @ParameterizedTest
    @ValueSource(strings = {"sentences/mean-normalized", "encoders/bert-seq-cls", "encoders/roberta-seq-cls",
        "encoders/xlm-roberta-token-cls", "encoders/distilbert-question", "encoders/modernbert-seq-cls",
        "gguf/bert.gguf", "gguf/roberta.gguf",
        "gguf/modern-bert.gguf"})
    void writtenAndMergedFilesEmbedAsTheModelTheyCameFrom(String fixture) throws IOException {
        String name = fixture.replaceAll("[/.]", "-");
        LoraConfig config = LoraConfig.builder().rank(2).targetModules(TargetModules.ALL_LINEAR)
                .initialization(LoraInit.RANDOM).build();
        try (BaseModel base = load(Fixtures.FOLDER.resolve(fixture)); PeftModel model = base.withAdapter(config, 3)) {
            GgufFiles files = GgufFiles.write(base, model, WRITTEN, name);
            AdapterImport.fromGguf(base, files.lora(), folder.resolve("adapter"));

            float[][] plain = embed(base);
            float[][] adapted = embed(model);
            assertTrue(TextEmbedder.cosine(plain[0], adapted[0]) < 0.99, "the adapter changes nothing");
            assertEmbeds(plain, files.model());
            assertEmbeds(adapted, files.merged());
            try (PeftModel again = base.withAdapter(folder.resolve("adapter"))) {
                assertClose(adapted, embed(again));
            }
            // llama.cpp takes no vocabulary with a token twice, which that of this fixture has.
            if (!fixture.equals("gguf/roberta.gguf")) {
                JSON.writeValue(WRITTEN.resolve(name + ".json").toFile(), Map.of("texts", TEXTS, "ids", TEXTS.stream()
                        .map(base.tokenizer()::encodeWithSpecials).toList(), "embeddings", plain, "adapted", adapted));
            }
        }
    }

    @Test
    void whatLlamaCppCannotSayOfAnEncoderIsRefused() {
        assertRefused("encoders/electra-seq-cls", "embeddings have 16 elements and its layers 24");
        assertRefused("encoders/bert-token-cls", "the model's hidden_act is \"gelu_new\"");
        assertRefused("sentences/cls-weighted", "llama.cpp supports one of [MEAN, CLS, LAST] only");
        assertRefused("encoders/deberta-seq-cls", "not for deberta-v2");
    }

    @Test
    void localAttentionThatLlamaCppDoesNotHaveIsRefused() throws IOException {
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Fixtures.FOLDER.resolve("encoders/modernbert-seq-cls").resolve(file), folder.resolve(file));
        }
        Path config = folder.resolve("config.json");
        Files.writeString(config,
                Files.readString(config).replaceFirst("\"full_attention\",", "\"sliding_attention\","));
        assertRefused(folder.toAbsolutePath().toString(), "the first of each 3 layers of a model has global attention");
    }

    @Test
    void aClassifierIsNoModelForAGgufFile() {
        try (BaseModel model = KernelsUnderTest.naive("encoders/bert-seq-cls")) {
            String message = assertThrows(ConfigurationException.class, () -> ModelExport.of(model)
                    .toGguf(folder.resolve("x.gguf"))).getMessage();
            assertTrue(message.contains("a model for SEQ_CLS cannot be written as a GGUF file"), message);
        }
    }

    @Test
    void anAdapterOnTablesThatLlamaCppOnlyLooksUpIsRefused() {
        try (BaseModel base = load(FILES.resolve("bert.gguf"));
                PeftModel model = base.withAdapter(LoraConfig.builder()
                        .rank(2).targetModules("position_embeddings").build())) {
            String message = assertThrows(ConfigurationException.class, () -> AdapterExport.toGguf(model,
                    PeftModel.DEFAULT_ADAPTER, folder.resolve("x.gguf"))).getMessage();
            assertTrue(message.contains("layers whose adapters llama.cpp ignores"), message);
        }
    }

    private void assertRefused(String fixture, String reason) {
        try (BaseModel model = load(Fixtures.FOLDER.resolve(fixture))) {
            String message = assertThrows(ConfigurationException.class, () -> ModelExport.of(model)
                    .toGguf(folder.resolve("x.gguf"))).getMessage();
            assertTrue(message.contains(reason), message);
            assertFalse(Files.exists(folder.resolve("x.gguf")));
        }
    }

    private static BaseModel load(Path path) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(path.toString()), ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.F32).withTask(Task.EMBEDDING), new NaiveKernels());
    }

    private static float[][] embed(Model model) {
        return new TextEmbedder(model).embed(TEXTS).toArray(float[][]::new);
    }

    private static void assertEmbeds(float[][] expected, Path file) {
        try (BaseModel again = load(file)) {
            assertClose(expected, embed(again));
        }
    }

    private static void assertClose(float[][] expected, float[][] actual) {
        for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], actual[i], 2e-5f, TEXTS.get(i));
        }
    }
}
