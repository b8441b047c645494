package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.decision.DecisionResult;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.core.weight.BlockType;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.ModelExport;
import io.peft4j.models.hub.ModelLocator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Decision models as GGUF files by llama.cpp's keys, and back: they answer as the folders that they come from. */
class GgufDecisionsTest {
    /** The same sums in f32. */
    private static final double F32 = 1e-6;
    /** Of a probability, where matrices have the 8 or 16 bits of their type. */
    private static final double Q8 = 0.02;
    private static final Path LAYA = Fixtures.FOLDER.resolve("decisions/laya");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    @Test
    void aLayaCheckpointAnswersFromAFileAsFromItsFolder() throws IOException {
        Path file = folder.resolve("laya.gguf");
        try (BaseModel base = load(laya(1))) {
            ModelExport.of(base).toGguf(file);
            assertEquals(Task.DECISION, BaseModel.taskOf(ModelLocator.fromEnvironment().locate(file.toString())));
            try (BaseModel again = load(file)) {
                assertSame(answers(base, LAYA), answers(again, LAYA), F32);
                assertEquals(base.decisions().temperature(), again.decisions().temperature());
                assertEquals(base.decisions().maxTokens(), again.decisions().maxTokens());
                assertEquals(base.decisions().maxQuestionTokens(), again.decisions().maxQuestionTokens());
            }
            ModelExport.of(base).type(BlockType.Q8_0).toGguf(folder.resolve("q8.gguf"));
            try (BaseModel again = load(folder.resolve("q8.gguf"))) {
                assertSame(answers(base, LAYA), answers(again, LAYA), Q8);
            }
        }
    }

    @Test
    void aLayaFileHasLlamaCppsKeysAndTensors() throws IOException {
        try (GgufFile file = GgufFile.open(written())) {
            GgufMetadata said = file.metadata();
            assertEquals("modern-bert", said.string("general.architecture"));
            assertEquals(5, said.integer("modern-bert.block_count"));
            assertEquals("laya", said.string("modern-bert.decision.type"));
            assertEquals(2, said.integer("modern-bert.decision.block_count"));
            assertEquals(72, said.integer("modern-bert.decision.max_head_tokens"));
            assertArrayEquals(new long[] {16, 16, 16, 96, 96}, said.integers("modern-bert.feed_forward_length"));
            assertEquals(3, said.integer("tokenizer.ggml.token_type_count"));
            assertEquals(4, said.integer("tokenizer.ggml.mask_token_id"));
            assertEquals(3, said.integer("tokenizer.ggml.seperator_token_id"));
            assertEquals(1.5f, said.floating("modern-bert.decision.temperature.choice"));
            assertEquals(0.7f, said.floating("modern-bert.decision.temperature.choice.3_5"));
            assertEquals(5f, said.floating("modern-bert.decision.temperature.choice.11"));
            assertTrue(said.string("tokenizer.chat_template.systemone").startsWith("[CLS]{{ type }} question: "));
            for (String name : List.of("token_types.weight", "cls.norm.weight", "cls.norm.bias", "cls.weight",
                    "cls.bias",
                    "cls.output.weight", "cls.output.bias", "blk.2.ffn_down.weight", "blk.3.attn_norm.bias",
                    "blk.4.attn_qkv.weight", "blk.4.attn_qkv.bias", "blk.4.ffn_up.bias")) {
                assertTrue(file.names().contains(name), name);
            }
            assertArrayEquals(new long[] {3, 24}, file.shape("token_types.weight"));
            assertArrayEquals(new long[] {1, 24}, file.shape("cls.output.weight"));
        }
    }

    @Test
    void aMergedAdapterIsInTheFile() throws IOException {
        Path file = folder.resolve("merged.gguf");
        try (BaseModel base = load(laya(1)); PeftModel adapted = PeftModel.load(base, LAYA.resolve("adapter"))) {
            ModelExport.of(adapted).toGguf(file);
            List<DecisionResult> expected = answers(adapted, LAYA);
            assertFalse(expected.equals(answers(base, LAYA)));
            try (BaseModel again = load(file)) {
                assertSame(expected, answers(again, LAYA), F32);
            }
        }
    }

    @Test
    void whatLlamaCppComputesOtherwiseIsRefused() throws IOException {
        assertRefused(laya(2), "the 2 attention heads of the encoder, and Laya's have 1");
        Path epsilon = laya(1);
        edit(epsilon.resolve("encoder/config.json"), config -> config.put("norm_eps", 1e-6));
        assertRefused(epsilon, "epsilon of the encoder, 1.0E-6");
        Path gate = laya(1);
        edit(gate.resolve("encoder/config.json"), config -> config.put("hidden_activation", "silu"));
        assertRefused(gate, "the model's hidden_activation is \"silu\"");
        Path calibrated = laya(1);
        JSON.writeValue(calibrated.resolve("decision.json").toFile(), Map.of("calibration",
                new DecisionCalibration(List.of(new DecisionCalibration.Entry("noul", "Paid?", List.of("false", "true"),
                        "isotonic", "", 2000, List.of(1.0, 1.0), List.of(0.0, 0.0), List.of(0.2, 0.8),
                        List.of(0.1, 0.9), List.of(), List.of())))));
        assertRefused(calibrated, "a GGUF file holds temperatures only");
        try (BaseModel fresh = BaseModel.load(Fixtures.encoder("bert-seq-cls").toString(), options()
                .withTask(Task.DECISION))) {
            assertRefused(fresh, "this is a model of the type bert whose head has 0");
        }
    }

    /** A kind is letters by their place, with llama.cpp's type for them, or other labels, for which it has none. */
    @ParameterizedTest
    @CsvSource({"plain, openjev", "false-first, nimble", "own, openjev", "labels-plain, ''", "labels-own, ''"})
    void aChatModelAnswersFromAFileAsFromItsFolder(String kind, String type) throws IOException {
        Path model = chat(kind);
        Path file = folder.resolve("chat.gguf");
        Path rows = Fixtures.FOLDER.resolve("decisions").resolve(kind.startsWith("labels") ? kind : "labels-plain");
        try (BaseModel base = load(model)) {
            ModelExport.of(base).toGguf(file);
            try (BaseModel again = load(file)) {
                assertSame(answers(base, rows), answers(again, rows), F32);
                assertEquals(base.decisions().temperature(), again.decisions().temperature());
                ModelExport.of(again).toGguf(folder.resolve("again.gguf"));
            }
        }
        try (GgufFile written = GgufFile.open(file); GgufFile again = GgufFile.open(folder.resolve("again.gguf"))) {
            assertEquals(type, written.metadata().string("llama.decision.type", ""));
            assertEquals(!type.isEmpty(), written.metadata().has("tokenizer.chat_template.systemone"));
            assertEquals(written.metadata().string("tokenizer.chat_template.systemone", ""),
                    again.metadata().string("tokenizer.chat_template.systemone", ""));
        }
    }

    @Test
    void anAdapterThatDecisionsNameIsNotLeftOut() throws IOException {
        Path model = chat("plain");
        edit(model.resolve("decision.json"), settings -> settings.put("adapter", "tuned"));
        assertRefused(model, "decision.json names the adapter tuned");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "decision.type|decision.tipe|no metadata key 'modern-bert.decision.type'",
        "decision.block_count|decision.bl_ck_count|decision.block_count",
        "decision.max_head_tokens|decision.max_h_ad_tokens|decision.max_head_tokens",
        "chat_template.systemone|chat_template.systemtwo|chat_template.systemone",
        "temperature.choice.3_5|temperature.choice.3_6|is of no kind and number of options",
        "laya|lava|modern-bert.decision.type is \"lava\"",
        "[MASK] {% if|[MASK]-{% if|is not Laya's prompt",
        "peft4j.decision.settings|peft4j.decision.template|max_len",
        "cls.norm.bias|cls.norm.bi_s|has no tensor 'cls.norm.bias', a part of Laya's decision head",
        "blk.4.ffn_up.weight|blk.4.ffn_ux.weight|has no tensor 'blk.4.ffn_up.weight'",
        "blk.4.ffn_up.bias|cls.output.weight|expected"})
    void aDamagedFileIsNamed(String part, String instead, String reason) throws IOException {
        Path file = written();
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertTrue(bytes.contains(part), part);
        String place = "@".repeat(part.length());
        String swapped = bytes.replace(instead, place).replace(part, instead).replace(place, part);
        Files.writeString(file, swapped, StandardCharsets.ISO_8859_1);
        if (reason.equals("max_len")) {
            try (BaseModel model = load(file)) {
                assertEquals(128, model.decisions().maxTokens().orElseThrow());
            }
            return;
        }
        String message = assertThrows(FileFormatException.class, () -> load(file).close()).getMessage();
        assertTrue(message.contains(reason), message);
    }

    /** ModernBERT's own tokenizer: byte-level BPE as GPT-2 cuts text, with composed accents and marks of its own. */
    @Test
    void modernBertsTokenizerGoesBothWays() throws IOException {
        Path model = laya(1);
        edit(model.resolve("tokenizer/tokenizer.json"), GgufDecisionsTest::bytePairs);
        Path file = folder.resolve("bpe.gguf");
        try (BaseModel base = load(model)) {
            ModelExport.of(base).toGguf(file);
            try (BaseModel again = load(file)) {
                for (String text : List.of("It's 12 o'clock,  the Caf\u0065\u0301", " a [MASK] the", "")) {
                    assertArrayEquals(base.tokenizer().encodeWithSpecials(text), again.tokenizer()
                            .encodeWithSpecials(text), text);
                }
                assertSame(answers(base, LAYA), answers(again, LAYA), F32);
            }
        }
        try (GgufFile said = GgufFile.open(file)) {
            assertEquals("gpt2", said.metadata().string("tokenizer.ggml.model"));
            assertTrue(List.of("olmo", "modern-bert").contains(said.metadata().string("tokenizer.ggml.pre")));
            assertEquals(List.of(2L, 3L, 3L, 4L), Stream.of("bos", "eos", "seperator", "mask")
                    .map(name -> said.metadata().integer("tokenizer.ggml." + name + "_token_id")).toList());
        }
    }

    private static void bytePairs(ObjectNode tokenizer) {
        ObjectNode vocabulary = JSON.createObjectNode();
        tokenizer.get("added_tokens").forEach(token -> vocabulary.put(token.get("content").asText(),
                token.get("id").intValue()));
        List<String> merges = List.of("\u0120 t", "h e", "\u0120t he", "\u0120 a");
        Stream.concat(Stream.of("\u0120"), IntStream.rangeClosed('!', '~').mapToObj(Character::toString))
                .forEach(token -> vocabulary.put(token, vocabulary.size()));
        merges.forEach(pair -> vocabulary.put(pair.replace(" ", ""), vocabulary.size()));
        ObjectNode words = JSON.createObjectNode().put("type", "ByteLevel").put("add_prefix_space", false)
                .put("trim_offsets", true).put("use_regex", true);
        tokenizer.set("normalizer", JSON.createObjectNode().put("type", "NFC"));
        tokenizer.set("pre_tokenizer", words);
        tokenizer.set("decoder", words);
        ObjectNode model = tokenizer.putObject("model").put("type", "BPE");
        model.set("vocab", vocabulary);
        merges.forEach(model.putArray("merges")::add);
    }

    @Test
    void anEncoderComputesTheActivationThatItsFileNames() throws IOException {
        Path file = written();
        Files.writeString(file, Files.readString(file, StandardCharsets.ISO_8859_1).replace("gelu", "silu"),
                StandardCharsets.ISO_8859_1);
        Path folderOfSilu = laya(1);
        edit(folderOfSilu.resolve("encoder/config.json"), config -> config.put("hidden_activation", "silu"));
        try (BaseModel base = load(folderOfSilu); BaseModel again = load(file)) {
            assertSame(answers(base, LAYA), answers(again, LAYA), F32);
        }
    }

    @Test
    void aTypeThatIsNotSupportedIsNamed() throws IOException {
        Path file = folder.resolve("chat.gguf");
        try (BaseModel base = load(chat("plain"))) {
            ModelExport.of(base).toGguf(file);
        }
        Files.writeString(file, Files.readString(file, StandardCharsets.ISO_8859_1).replace("openjev", "openkev"),
                StandardCharsets.ISO_8859_1);
        String message = assertThrows(FileFormatException.class, () -> load(file).close()).getMessage();
        assertTrue(message.contains("supported are \"laya\", \"openjev\" and \"nimble\""), message);
    }

    private Path written() throws IOException {
        Path file = folder.resolve("written.gguf");
        try (BaseModel base = load(laya(1))) {
            ModelExport.of(base).toGguf(file);
        }
        return file;
    }

    /** The fixture, whose encoder has 2 attention heads, with another number. */
    private Path laya(int heads) throws IOException {
        Path copy = Files.createTempDirectory(folder, "laya");
        for (String file : List.of("model.safetensors", "rl_agent_config.json", "encoder/config.json",
                "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json")) {
            Files.createDirectories(copy.resolve(file).getParent());
            Files.copy(LAYA.resolve(file), copy.resolve(file));
        }
        edit(copy.resolve("encoder/config.json"), config -> config.put("num_attention_heads", heads));
        return copy;
    }

    private Path chat(String kind) throws IOException {
        Path copy = Files.createTempDirectory(folder, "chat");
        copy(Fixtures.FOLDER.resolve("tiny-llama"), copy);
        if (kind.startsWith("labels")) {
            copy(Fixtures.FOLDER.resolve("decisions").resolve(kind), copy);
            return copy;
        }
        ObjectNode settings = JSON.createObjectNode();
        settings.putObject("labels").putArray("noul").add("A").add("B");
        settings.putObject("temperature").put("choice", 0.25).put("choice:3-5", 1.75).put("noul", 3.0);
        if (kind.equals("false-first")) {
            settings.putArray("noul_options").add("false").add("true");
        }
        JSON.writeValue(copy.resolve("decision.json").toFile(), settings);
        if (kind.equals("own")) {
            Files.writeString(copy.resolve("decision_template.jinja"), Files.readString(Fixtures.FOLDER
                    .resolve("decisions/labels-own/decision_template.jinja")).replace("<|split|>", ".")
                    .replace("<|mark|> is never read\n", ""));
        }
        return copy;
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : (List<Path>) files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private static void edit(Path file, Consumer<ObjectNode> change) throws IOException {
        ObjectNode values = (ObjectNode) JSON.readTree(file.toFile());
        change.accept(values);
        JSON.writeValue(file.toFile(), values);
    }

    private void assertRefused(Path model, String reason) {
        try (BaseModel base = load(model)) {
            assertRefused(base, reason);
        }
    }

    private void assertRefused(BaseModel base, String reason) {
        String message = assertThrows(ConfigurationException.class, () -> ModelExport.of(base)
                .toGguf(folder.resolve("x.gguf"))).getMessage();
        assertTrue(message.contains(reason), message);
        assertFalse(Files.exists(folder.resolve("x.gguf")));
    }

    private static ModelOptions options() {
        return ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
    }

    private static BaseModel load(Path path) {
        return BaseModel.load(path.toString(), options());
    }

    private static List<DecisionResult> answers(LanguageModel model, Path fixture) {
        return new DecisionModel(model).decide(Fixtures.stream(Fixtures.json(fixture.resolve("expected.json"))
                .get("rows")).map(DecisionRequest::of).toList());
    }

    private static void assertSame(List<DecisionResult> expected, List<DecisionResult> said, double tolerance) {
        assertEquals(expected.size(), said.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).inputTokens(), said.get(i).inputTokens());
            DecisionResult other = said.get(i);
            expected.get(i).answers().forEach((name, answer) -> assertArrayEquals(answer.probabilities().stream()
                    .mapToDouble(p -> p).toArray(),
                    other.answers().get(name).probabilities().stream()
                            .mapToDouble(p -> p).toArray(),
                    tolerance, name));
        }
    }
}
