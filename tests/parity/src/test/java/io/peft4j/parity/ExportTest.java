package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.LogitDifference;
import io.peft4j.core.peft.MergeCheck;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.methods.BitFitConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.AdapterExport;
import io.peft4j.models.export.ModelExport;
import io.peft4j.models.export.ModelExport.ExportReport;
import io.peft4j.models.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Merged models and adapters in other formats, held to what Hugging Face's merged models give. */
class ExportTest {
    @TempDir
    private Path folder;

    private static BaseModel load(Path path) {
        return BaseModel.load(path.toString(), ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
    }

    @Test
    void occupiedTargetsAreRefusedBeforeWriting() throws IOException {
        Files.createDirectories(folder.resolve("there/inner"));
        try (BaseModel base = KernelsUnderTest.naive("tiny-llama")) {
            String message = assertThrows(ConfigurationException.class,
                    () -> ModelExport.of(base).toFolder(folder.resolve("there"))).getMessage();
            assertTrue(message.contains("there exists already"), message);
            message = assertThrows(ConfigurationException.class, () -> ModelExport.of(base)
                    .ifExists(IfExists.OVERWRITE).toFolder(folder.resolve("there"))).getMessage();
            assertTrue(message.contains("is not a model"), message);
            message = assertThrows(ConfigurationException.class,
                    () -> ModelExport.of(base).toGguf(folder.resolve("there"))).getMessage();
            assertTrue(message.contains("is a folder"), message);
            Path file = Files.writeString(folder.resolve("old.gguf"), "old");
            message = assertThrows(ConfigurationException.class, () -> ModelExport.of(base).toGguf(file)).getMessage();
            assertTrue(message.contains("old.gguf exists already"), message);
            assertEquals("old", Files.readString(file));
            assertEquals(folder.resolve("old-2.gguf"),
                    ModelExport.of(base).ifExists(IfExists.NEXT).toGguf(file).target());
            assertTrue(ModelExport.of(base).ifExists(IfExists.OVERWRITE).toGguf(file).bytes() > 1000);
            Path model = folder.resolve("model");
            ModelExport.of(base).toFolder(model);
            Files.writeString(model.resolve("model-00001-of-00002.safetensors"), "of the former model");
            assertEquals(model, ModelExport.of(base).ifExists(IfExists.OVERWRITE).toFolder(model).target());
            assertFalse(Files.exists(model.resolve("model-00001-of-00002.safetensors")));
            assertEquals(ModelExport.of(base).toFolder(Files.createDirectory(folder.resolve("empty"))).target(),
                    folder.resolve("empty"));
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(Set.of("there", "old.gguf", "old-2.gguf", "model", "empty"),
                    left.map(path -> path.getFileName().toString()).collect(Collectors.toSet()));
        }
    }

    private static String baseOf(String adapter) {
        return Fixtures.json(Fixtures.adapter(adapter).resolve("expected.json")).get("model").asText();
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "lora-untied", "rslora", "patterns", "bias-all", "modules-to-save",
        "modules-to-save-untied", "lm-head"})
    void mergedFoldersMatchHuggingFacesMergedModel(String adapter) {
        JsonNode expected = Fixtures.json(Fixtures.adapter(adapter).resolve("expected.json"));
        String name = baseOf(adapter);
        BaseModel base = KernelsUnderTest.sharedNaive(name);
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter(adapter))) {
            ExportReport report = ModelExport.of(model).toFolder(folder.resolve("merged"));
            assertFalse(model.isMerged());
            // The weights are equal bit for bit; only the order of sums differs between adapter and merged weight.
            assertTrue(report.difference().relative() < 1e-5, report.toString());
        }
        try (BaseModel merged = load(folder.resolve("merged"))) {
            List<TokenSequence> texts = Fixtures.texts(name);
            Measure.assertClose(Fixtures.doubles(expected.get("merged_nll")), Measure.oneByOne(merged, texts),
                    adapter);
            Measure.assertLogits(merged, texts, rows(expected));
        }
    }

    @Test
    void aModelThatRepeatsLayersIsWrittenAsADeeperOne() {
        JsonNode expected = Fixtures.json(Fixtures.adapter("replicated").resolve("expected.json"));
        String name = baseOf("replicated");
        BaseModel base = KernelsUnderTest.sharedNaive(name);
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter("replicated"))) {
            assertEquals(List.of(0, 1, 1, 2), model.base().layerOrder());
            assertEquals(List.of(0, 1, 2), base.layerOrder());
            ModelExport.of(model).toFolder(folder.resolve("merged"));
            String reason = AdapterExport.obstacles(model, PeftModel.DEFAULT_ADAPTER).get("llama.cpp, as an adapter")
                    .get(0);
            assertTrue(reason.contains("the base's layers [0, 1, 1, 2]"), reason);
            assertThrows(ConfigurationException.class, () -> AdapterExport.toGguf(model, PeftModel.DEFAULT_ADAPTER,
                    folder.resolve("adapter.gguf")));
        }
        try (BaseModel merged = load(folder.resolve("merged"))) {
            assertEquals(4, merged.network().description().layers());
            Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")),
                    Measure.oneByOne(merged, Fixtures.texts(name)), "replicated");
        }
    }

    /** The merged logits, with the uncertainty that was measured of the unmerged ones. */
    private static JsonNode rows(JsonNode expected) {
        return expected.get("logits");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lm-head-tied", "embedding", "modules-to-save"})
    void tiedWeightsBecomeTwoWhereMergingChangesOne(String adapter) {
        JsonNode expected = Fixtures.json(Fixtures.adapter(adapter).resolve("expected.json"));
        Path file = folder.resolve("merged.gguf");
        BaseModel base = KernelsUnderTest.sharedNaive(baseOf(adapter));
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter(adapter))) {
            assertTrue(ModelExport.of(model).toFolder(folder.resolve("merged")).untied());
            assertTrue(ModelExport.of(model).toGguf(file).untied());
        }
        JsonNode config = Fixtures.json(folder.resolve("merged/config.json"));
        assertFalse(config.get("tie_word_embeddings").asBoolean());
        for (Path path : List.of(folder.resolve("merged"), file)) {
            try (BaseModel merged = load(path)) {
                assertFalse(merged.network().description().tiedEmbeddings());
                Measure.assertClose(Fixtures.doubles(expected.get("nll")),
                        Measure.oneByOne(merged, Fixtures.texts(baseOf(adapter))), adapter);
            }
        }
    }

    @Test
    void tiedWeightsStayOneElsewhereAndLargeModelsAreCutUp() {
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter("lora"))) {
            ExportReport report = ModelExport.of(model).maxShardBytes(60_000).toFolder(folder.resolve("merged"));
            assertFalse(report.untied());
            assertTrue(report.files().stream().filter(f -> f.startsWith("model-0000")).count() > 2, report.toString());
            assertTrue(report.files().containsAll(Set.of("model.safetensors.index.json", "config.json",
                    "generation_config.json", "tokenizer.json", "tokenizer_config.json")), report.toString());
        }
        assertTrue(Fixtures.json(folder.resolve("merged/config.json")).get("tie_word_embeddings").asBoolean());
        try (TensorStore tensors = Safetensors.open(folder.resolve("merged"))) {
            assertFalse(tensors.names().contains("lm_head.weight"));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0"})
    void aGgufFileHoldsTheModelInEveryType(BlockType type) {
        for (String name : List.of("tiny-llama", "tiny-llama-untied", "tiny-llama-sharded")) {
            Path file = folder.resolve(name + ".gguf");
            try (BaseModel base = KernelsUnderTest.naive(name)) {
                ExportReport report = ModelExport.of(base).type(type).toGguf(file);
                assertTrue(report.difference().positions() > 50);
                try (GgufFile written = GgufFile.open(file)) {
                    boolean fits = written.shape("blk.0.attn_q.weight")[1] % type.blockSize() == 0;
                    assertEquals(fits ? type : BlockType.F16, written.blockType("blk.0.attn_q.weight").orElseThrow());
                }
                try (BaseModel again = load(file)) {
                    assertEquals(base.chatTemplate().isPresent(), again.chatTemplate().isPresent());
                    assertEquals(base.stopTokens(), again.stopTokens());
                    if (type == BlockType.F32) {
                        Measure.assertClose(Measure.oneByOne(base, Fixtures.texts(name)),
                                Measure.oneByOne(again, Fixtures.texts(name)), name);
                    }
                }
            }
        }
    }

    /** What rounding changes of base and adapter is held against what it changes of the base alone. */
    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16", "Q8_0", "Q4_0"})
    void narrowTypesMayLoseTwiceTheBasesLoss(BlockType type) {
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter("lora"))) {
            double ofBase = ModelExport.of(base).type(type).toGguf(folder.resolve("base.gguf")).difference().relative();
            ExportReport report = ModelExport.of(model).type(type).toGguf(folder.resolve("merged.gguf"));
            assertEquals(Math.max(1e-3, 2 * ofBase), report.tolerance());
            assertTrue(report.difference().relative() <= report.tolerance());
        }
    }

    /** Most checkpoints are in bfloat16: writing them in it again loses nothing, an adapter merged into them does. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "Q8_0", "Q4_1"})
    void anAdapterMergesIntoABaseThatHasTheTypeAlready(BlockType type) {
        Path rounded = folder.resolve("rounded.gguf");
        ModelExport.of(KernelsUnderTest.sharedNaive("tiny-llama")).type(type).toGguf(rounded);
        try (BaseModel base = load(rounded); PeftModel model = PeftModel.load(base, Fixtures.adapter("lora"))) {
            double ofBase = ModelExport.of(base).type(type).toGguf(folder.resolve("again.gguf")).difference()
                    .relative();
            ExportReport report = ModelExport.of(model).type(type).toGguf(folder.resolve("merged.gguf"));
            assertTrue(report.difference().relative() > 2 * ofBase, report + " after " + ofBase);
            assertTrue(report.difference().relative() > 1e-3, report.toString());
            assertTrue(report.difference().relative() <= report.tolerance(), report.toString());
        }
    }

    @Test
    void aDifferingExportIsRefusedAndRemoved() throws IOException {
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter("lora"))) {
            Path file = folder.resolve("merged.gguf");
            String message = assertThrows(ConfigurationException.class,
                    () -> ModelExport.of(model).type(BlockType.Q8_0).tolerance(1e-6).toGguf(file)).getMessage();
            assertTrue(message.contains("Q8_0 does not agree with base and adapter"), message);
            assertFalse(model.isMerged());
            assertThrows(ConfigurationException.class,
                    () -> ModelExport.of(model).type(BlockType.Q8_0).toFolder(folder.resolve("merged")));
            Files.writeString(Files.createDirectory(folder.resolve("mine")).resolve("notes.txt"), "mine");
            assertThrows(ConfigurationException.class, () -> ModelExport.of(model).toFolder(folder.resolve("mine")));
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of("mine"), left.map(p -> p.getFileName().toString()).toList());
        }
    }

    @Test
    void aCheckedMergeRefusesBeyondItsTolerance() {
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter("lora"))) {
            assertThrows(ConfigurationException.class,
                    () -> model.merge(new MergeCheck(List.of("Once upon a time"), 1e-12)));
            assertFalse(model.isMerged());
            LogitDifference difference = model.merge(MergeCheck.defaults());
            assertTrue(model.isMerged());
            assertTrue(difference.relative() < MergeCheck.F32_TOLERANCE, difference.toString());
            assertEquals(1, difference.sameTop());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "lora-untied", "patterns-rslora", "lm-head", "embedding-untied"})
    void aGgufAdapterHoldsTheSameChange(String adapter) {
        Path file = folder.resolve("adapter.gguf");
        BaseModel base = KernelsUnderTest.sharedNaive(baseOf(adapter));
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter(adapter))) {
            AdapterExport.toGguf(model, PeftModel.DEFAULT_ADAPTER, file);
            try (GgufFile written = GgufFile.open(file)) {
                assertEquals("adapter", written.metadata().string("general.type"));
                assertEquals("lora", written.metadata().string("adapter.type"));
                double alpha = written.metadata().floating("adapter.lora.alpha");
                model.adapter(PeftModel.DEFAULT_ADAPTER).layers().stream()
                        .filter(layer -> layer.slot().path().endsWith("v_proj")).forEach(layer -> {
                            String name = "blk." + layer.slot().path().split("\\.")[2] + ".attn_v.weight.lora_";
                            assertSameChange(layer.lowRankUpdate().orElseThrow(), alpha, written.readFloats(name + "a"),
                                    written.readFloats(name + "b"));
                        });
                assertEquals(2 * model.adapter(PeftModel.DEFAULT_ADAPTER).layers().size(), written.names().size());
            }
        }
    }

    private static void assertSameChange(LowRankUpdate update, double alpha, float[] a, float[] b) {
        assertArrayEquals(update.aValues(), a);
        float[] expected = update.bValues();
        for (int i = 0; i < b.length; i++) {
            // One rounding to float32.
            assertEquals(update.scaling() * expected[i], alpha / update.rank() * b[i], 1e-6 * Math.abs(b[i]) + 1e-12);
        }
    }

    @Test
    void incompatibleProgramsAreReportedBeforeExport() {
        Map<String, String> reasons = Map.of("lora-bias", "lora_B.bias", "modules-to-save-untied", "as a whole",
                "bias-all", "as a whole", "embedding", "share one weight", "lm-head-tied", "share one weight",
                "alora", "is invoked by the tokens");
        reasons.forEach((adapter, reason) -> {
            BaseModel base = KernelsUnderTest.sharedNaive(baseOf(adapter));
            try (PeftModel model = PeftModel.load(base, Fixtures.adapter(adapter))) {
                String message = assertThrows(ConfigurationException.class,
                        () -> AdapterExport.toGguf(model, "default", folder.resolve("a.gguf"))).getMessage();
                assertTrue(message.contains(reason), message);
                Map<String, List<String>> obstacles = AdapterExport.obstacles(model, "default");
                assertFalse(obstacles.get("llama.cpp, as an adapter").isEmpty());
                assertTrue(obstacles.get("Hugging Face PEFT").isEmpty());
            }
        });
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel model = base.withAdapter(BitFitConfig.builder().build())) {
            assertEquals(List.of("it does not support the method BITFIT"),
                    AdapterExport.obstacles(model, "default").get("Hugging Face PEFT"));
        }
        assertFalse(Files.exists(folder.resolve("a.gguf")));
    }

    @Test
    void writtenTokenizersGiveTheSameTokens() {
        for (String name : Fixtures.MODELS) {
            Path file = folder.resolve(name + ".gguf");
            try (BaseModel base = KernelsUnderTest.naive(name)) {
                ModelExport.of(base).toGguf(file);
                try (GgufFile written = GgufFile.open(file); Tokenizer tokenizer = Tokenizers.fromGguf(written)) {
                    for (String text : List.of("The notice period is 90 days.", "<|im_start|>user\nHi<|im_end|>",
                            "  blanks\t\n\n and 12345 digits, caf\u00e9 \u4f60\u597d")) {
                        assertArrayEquals(base.tokenizer().encodeWithSpecials(text),
                                tokenizer.encodeWithSpecials(text), text);
                    }
                }
            }
        }
    }
}
