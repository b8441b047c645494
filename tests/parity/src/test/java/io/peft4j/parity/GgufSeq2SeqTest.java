package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.data.task.SourceTarget;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.init.LoraInit;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.AdapterImport;
import io.peft4j.models.export.ModelExport;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.train.objective.SourceTargetObjective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * T5 out of GGUF files that the package {@code gguf} wrote under llama.cpp's names, with the numbers of Transformers,
 * and into such files. They are left in {@code target/gguf-seq2seq}, for {@code check_llama_cpp_encoders.py}, that
 * holds them to what llama.cpp computes.
 */
class GgufSeq2SeqTest {
    private static final Path FILES = Fixtures.FOLDER.resolve("gguf");
    private static final Path WRITTEN = Path.of("target", "gguf-seq2seq");
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Of a likelihood in f32. */
    private static final double F32 = 1e-5;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"t5", "flan-t5"})
    void likelihoodsTokensAndAnswersAreThoseOfTransformers(String name) {
        List<JsonNode> rows = rows(name);
        try (BaseModel model = load(FILES.resolve(name + ".gguf"))) {
            assertEquals(Task.Type.SEQ_2_SEQ_LM, model.network().task().type());
            List<TokenSequence> sequences = sequences(model, rows);
            for (int i = 0; i < rows.size(); i++) {
                assertArrayEquals(Fixtures.ids(rows.get(i).get("source_ids")), sequences.get(i).source(), name);
            }
            assertClose(nll(rows), SequenceScorer.negativeLogLikelihoods(model, sequences));
            List<Prompt> prompts = rows.stream().map(row -> Prompt.text(row.get("source").asText())).toList();
            assertEquals(rows.stream().map(row -> Arrays.toString(Fixtures.ids(row.get("greedy")))).toList(),
                    model.generate(prompts, GenerationOptions.defaults().withMaxNewTokens(8)).stream()
                            .map(answer -> Arrays.toString(answer.ids())).toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "flan-t5"})
    void writtenAndMergedFilesSayWhatTheModelSaid(String name) throws IOException {
        List<JsonNode> rows = rows(name);
        LoraConfig config = LoraConfig.builder().rank(2).targetModules(TargetModules.ALL_LINEAR)
                .initialization(LoraInit.RANDOM).build();
        try (BaseModel base = load(FILES.resolve(name + ".gguf")); PeftModel model = base.withAdapter(config, 3)) {
            GgufFiles files = GgufFiles.write(base, model, WRITTEN, name);
            AdapterImport.fromGguf(base, files.lora(), folder.resolve("adapter"));

            List<TokenSequence> sequences = sequences(base, rows);
            double[] adapted = SequenceScorer.negativeLogLikelihoods(model, sequences);
            assertTrue(Math.abs(adapted[3] / nll(rows)[3] - 1) > 1e-2, "the adapter changes nothing");
            assertSays(nll(rows), rows, files.model());
            assertSays(adapted, rows, files.merged());
            try (PeftModel again = base.withAdapter(folder.resolve("adapter"))) {
                assertClose(adapted, SequenceScorer.negativeLogLikelihoods(again, sequences));
            }
            JSON.writeValue(WRITTEN.resolve(name + ".json").toFile(), Map.of("nll", nll(rows), "adapted", adapted,
                    "rows", rows));
        }
    }

    @Test
    void aMergedOutputLayerOfAModelThatTiesItIsWrittenToo() {
        List<JsonNode> rows = rows("t5");
        try (BaseModel base = load(FILES.resolve("t5.gguf"));
                PeftModel model = base.withAdapter(LoraConfig.builder()
                        .rank(2).targetModules("lm_head", "q").initialization(LoraInit.RANDOM).build(), 5)) {
            ModelExport.of(model).toGguf(folder.resolve("merged.gguf"));
            assertSays(SequenceScorer.negativeLogLikelihoods(model, sequences(base, rows)), rows,
                    folder.resolve("merged.gguf"));
        }
    }

    @Test
    void aFolderOfAFileIsWrittenAgainAlsoAsMt5() throws IOException {
        List<JsonNode> rows = rows("flan-t5");
        Path written = folder.resolve("folder");
        try (BaseModel base = load(FILES.resolve("flan-t5.gguf"))) {
            ModelExport.of(base).toFolder(written);
        }
        Path file = written.resolve("config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        assertEquals("T5ForConditionalGeneration", config.get("architectures").get(0).asText());
        JSON.writeValue(file.toFile(), config.put("model_type", "mt5"));
        try (BaseModel base = load(written)) {
            ModelExport.of(base).toGguf(folder.resolve("again.gguf"));
        }
        assertSays(nll(rows), rows, folder.resolve("again.gguf"));
    }

    @Test
    void whatLlamaCppComputesOtherwiseIsRefused() {
        try (BaseModel base = KernelsUnderTest.naive("seq2seq/t5-tied")) {
            String message = assertThrows(ConfigurationException.class, () -> ModelExport.of(base)
                    .toGguf(folder.resolve("x.gguf"))).getMessage();
            assertTrue(message.contains("the model's relative_attention_max_distance is 12, and llama.cpp computes "
                    + "models of the architecture t5 with 128 only"), message);
            assertFalse(Files.exists(folder.resolve("x.gguf")));
        }
    }

    private static void assertSays(double[] expected, List<JsonNode> rows, Path file) {
        try (BaseModel again = load(file)) {
            assertClose(expected, SequenceScorer.negativeLogLikelihoods(again, sequences(again, rows)));
        }
    }

    private static void assertClose(double[] expected, double[] actual) {
        IntStream.range(0, expected.length).forEach(i -> assertEquals(expected[i], actual[i], F32 * expected[i],
                "row " + i));
    }

    private static List<TokenSequence> sequences(Model model, List<JsonNode> rows) {
        SourceTargetObjective objective = new SourceTargetObjective(model);
        return rows.stream().map(row -> objective.encode(new SourceTarget(row.get("source").asText(),
                row.get("target").asText())).get(0).whole()).toList();
    }

    private static double[] nll(List<JsonNode> rows) {
        return rows.stream().mapToDouble(row -> row.get("nll").asDouble()).toArray();
    }

    private static List<JsonNode> rows(String name) {
        return Fixtures.stream(Fixtures.json("gguf/t5.json").get(name)).toList();
    }

    private static BaseModel load(Path path) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(path.toString()), ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.F32), new NaiveKernels());
    }
}
