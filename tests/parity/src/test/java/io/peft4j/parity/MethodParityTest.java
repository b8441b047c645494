package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Adapters of all other methods that Hugging Face PEFT saved, against the numbers that it computed with them. */
@Tag("processor")
@ParameterizedClass
@MethodSource("io.peft4j.parity.KernelsUnderTest#all")
class MethodParityTest {
    private static final int END_OF_TURN = 2;

    @Parameter
    KernelsUnderTest kernels;

    @ParameterizedTest
    @MethodSource("io.peft4j.parity.Fixtures#oneOfEachMethod")
    void theAdaptedModel(String name) {
        JsonNode expected = Fixtures.json(Fixtures.method(name).resolve("expected.json"));
        String base = expected.get("model").asText();
        List<TokenSequence> texts = Fixtures.texts(base);
        BaseModel model = kernels.shared(base);
        try (PeftModel adapted = PeftModel.load(model, Fixtures.method(name))) {
            double[] one = Measure.oneByOne(adapted, texts);
            Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")), one, "texts");
            Measure.assertClose(Fixtures.doubles(expected.get("chat_nll_f64")),
                    Measure.together(adapted, Fixtures.chats(base)), "chats");
            Measure.assertLogits(adapted, texts, expected.get("logits"));
            for (PackedBatch batch : List.of(PackedBatch.of(texts), PackedBatch.sharingPrefixes(texts))) {
                Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")), Measure.together(adapted, batch),
                        "texts in one batch");
            }
        }
    }

    @Test
    void twoAdaptersInTheirOrder() {
        JsonNode expected = Fixtures.json("methods/two-adapters.json");
        String base = expected.get("model").asText();
        List<TokenSequence> texts = Fixtures.texts(base);
        BaseModel model = kernels.shared(base);
        try (PeftModel adapted = new PeftModel(model)) {
            for (JsonNode name : expected.get("adapters")) {
                adapted.loadAdapter(name.asText(), Fixtures.method(name.asText()));
            }
            adapted.activate(adapted.adapterNames().toArray(String[]::new));
            Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")), Measure.oneByOne(adapted, texts), "texts");
            Measure.assertLogits(adapted, texts, expected.get("logits"));
            adapted.merge();
            Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")), Measure.oneByOne(adapted, texts), "merged");
        }
    }

    /**
     * Asked for two factors, Hugging Face PEFT without its CUDA extension makes the tensors of one, computes with one,
     * and writes two into the configuration.
     */
    @Test
    void boftRunsTheFactorsThatItsTensorsHave(@TempDir Path folder) throws IOException {
        Path original = Fixtures.method("boft");
        JsonNode expected = Fixtures.json(original.resolve("expected.json"));
        ObjectNode config = ((ObjectNode) Fixtures.json(original.resolve(AdapterCheckpoint.CONFIG_FILE)))
                .put("boft_n_butterfly_factor", 2);
        Files.writeString(folder.resolve(AdapterCheckpoint.CONFIG_FILE), config.toString());
        Files.copy(original.resolve(AdapterCheckpoint.WEIGHTS_FILE), folder.resolve(AdapterCheckpoint.WEIGHTS_FILE));
        String base = expected.get("model").asText();
        try (BaseModel model = kernels.load(base); PeftModel adapted = PeftModel.load(model, folder)) {
            Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")),
                    Measure.oneByOne(adapted, Fixtures.texts(base)), "texts");
            adapted.saveAdapter(folder.resolve("saved"));
            assertEquals(1, Fixtures.json(folder.resolve("saved").resolve(AdapterCheckpoint.CONFIG_FILE))
                    .get("boft_n_butterfly_factor").asInt());
        }
    }

    /** As Hugging Face PEFT writes PSOFT. */
    @Test
    void aFileOfPsoftWithoutItsDirectionsIsRefused(@TempDir Path folder) throws IOException {
        Path original = Fixtures.method("psoft");
        Path weights = folder.resolve(AdapterCheckpoint.WEIGHTS_FILE);
        Files.copy(original.resolve(AdapterCheckpoint.CONFIG_FILE), folder.resolve(AdapterCheckpoint.CONFIG_FILE));
        try (SafetensorsFile file = SafetensorsFile.open(original.resolve(AdapterCheckpoint.WEIGHTS_FILE))) {
            SafetensorsWriter.write(weights, file.names().stream().filter(name -> name.contains("psoft_R"))
                    .collect(Collectors.toMap(name -> name,
                            name -> TensorData.f32(file.shape(name), file.readFloats(name)))));
        }
        BaseModel model = kernels.shared("tiny-llama");
        String message = assertThrows(ConfigurationException.class, () -> PeftModel.load(model, folder)).getMessage();
        assertTrue(message.contains("psoft_directions.py"), message);
    }

    /** Which writes the classifier's first layer beside an adapter, and leaves the adapters where they were. */
    @ParameterizedTest
    @CsvSource({"xlora, layers rslora", "xlora-deep, rslora layers regex"})
    void xLoraAsHuggingFaceSavesIt(String name, String adapters, @TempDir Path folder) throws IOException {
        Path original = Fixtures.method(name);
        ObjectNode config = (ObjectNode) Fixtures.json(original.resolve(AdapterCheckpoint.CONFIG_FILE));
        ObjectNode named = config.putObject("adapters");
        for (String adapter : adapters.split(" ")) {
            named.put("" + named.size(), Fixtures.adapter(adapter).toString());
        }
        Files.writeString(folder.resolve(AdapterCheckpoint.CONFIG_FILE), config.toString());
        Map<Boolean, Map<String, TensorData>> tensors;
        try (SafetensorsFile file = SafetensorsFile.open(original.resolve(AdapterCheckpoint.WEIGHTS_FILE))) {
            tensors = file.names().stream().collect(Collectors.partitioningBy(key -> key.contains("layers.0."),
                    Collectors.toMap(key -> key.replace("layers.0.", "layers."),
                            key -> TensorData.f32(file.shape(key), file.readFloats(key)))));
        }
        SafetensorsWriter.write(folder.resolve(AdapterCheckpoint.WEIGHTS_FILE), tensors.get(false));
        SafetensorsWriter.write(Files.createDirectory(folder.resolve("0")).resolve(AdapterCheckpoint.WEIGHTS_FILE),
                tensors.get(true));
        JsonNode expected = Fixtures.json(original.resolve("expected.json"));
        try (PeftModel adapted = PeftModel.load(kernels.shared("tiny-llama"), folder)) {
            Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")),
                    Measure.oneByOne(adapted, Fixtures.texts("tiny-llama")), "texts");
        }
    }

    /** Which writes the adapters that Arrow mixes beside the folder of its router. */
    @Test
    void arrowAsHuggingFaceSavesIt(@TempDir Path folder) throws IOException {
        Path original = Fixtures.method("arrow-general");
        for (String part : List.of("", "task_0", "task_1", "task_2", "gks_0", "gks_1")) {
            Path target = Files.createDirectory(folder.resolve(part.isEmpty() ? "arrow_router" : part));
            for (String file : List.of(AdapterCheckpoint.CONFIG_FILE, AdapterCheckpoint.WEIGHTS_FILE)) {
                Files.copy(original.resolve(part).resolve(file), target.resolve(file));
            }
        }
        JsonNode expected = Fixtures.json(original.resolve("expected.json"));
        String base = expected.get("model").asText();
        try (PeftModel adapted = PeftModel.load(kernels.shared(base), folder.resolve("arrow_router"))) {
            Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")),
                    Measure.oneByOne(adapted, Fixtures.texts(base)), "texts");
        }
    }

    /** Without its adapter the model is the base, in every bit, and the adapter is there again afterwards. */
    @ParameterizedTest
    @MethodSource("io.peft4j.parity.Fixtures#oneOfEachMethod")
    void disabledAdaptersGiveTheBase(String name) {
        AdapterParityTest.assertDisabledIsTheBase(kernels, Fixtures.method(name));
    }

    @ParameterizedTest
    @MethodSource("io.peft4j.parity.Fixtures#oneOfEachMethod")
    void mergedWhereItCanBe(String name) {
        JsonNode expected = Fixtures.json(Fixtures.method(name).resolve("expected.json"));
        String base = expected.get("model").asText();
        List<TokenSequence> texts = Fixtures.texts(base);
        BaseModel model = kernels.shared(base);
        try (PeftModel adapted = PeftModel.load(model, Fixtures.method(name))) {
            boolean mergeable = adapted.adapter(PeftModel.DEFAULT_ADAPTER).layers().stream()
                    .allMatch(layer -> layer.mergeObstacle().isEmpty());
            if (mergeable) {
                adapted.merge();
                assertTrue(adapted.isMerged());
            }
            Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")), Measure.together(adapted, texts), "merged");
        }
    }

    /** With a key/value cache, beside another prompt that shares its beginning. */
    @ParameterizedTest
    @MethodSource("io.peft4j.parity.Fixtures#oneOfEachMethod")
    void greedyAnswers(String name) {
        JsonNode expected = Fixtures.json(Fixtures.method(name).resolve("expected.json"));
        int[] ids = Fixtures.ids(expected.get("prompt"));
        int[] tokens = Fixtures.ids(expected.get("new_tokens"));
        BaseModel model = kernels.shared(expected.get("model").asText());
        try (PeftModel adapted = PeftModel.load(model, Fixtures.method(name))) {
            GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(tokens.length);
            int[] answer = adapted.generate(List.of(Prompt.tokens(Arrays.copyOf(ids, 6)), Prompt.tokens(ids)), options)
                    .get(1).ids();
            int open = IntStream.range(0, tokens.length).filter(i -> expected.get("gaps").get(i).asDouble() < 1e-3)
                    .findFirst().orElse(tokens.length);
            int end = IntStream.range(0, tokens.length).filter(i -> tokens[i] == END_OF_TURN).findFirst()
                    .orElse(tokens.length - 1) + 1;
            // What rounding decides, or follows the end of the turn, is not compared.
            int length = Math.min(open, end);
            assertTrue(2 * length > tokens.length, "only " + length + " of " + tokens.length + " tokens are certain");
            assertArrayEquals(Arrays.copyOf(tokens, length), Arrays.copyOf(answer, length));
        }
    }
}
