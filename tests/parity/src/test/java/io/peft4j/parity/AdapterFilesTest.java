package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.TensorInfo;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adapters that Hugging Face PEFT saved: what is understood of their files, and what is written back. */
class AdapterFilesTest {
    /** Tied by its options, and trained apart by PEFT. */
    private static final String PARTED = "tied-parted";

    static Stream<String> adapters() {
        return Fixtures.adapters().stream();
    }

    /** Those of low rank that add to the weights of the base; LoftQ adds to weights of its own. */
    static Stream<String> plainLora() {
        return adapters().filter(name -> Fixtures.json(Fixtures.adapter(name).resolve("expected.json"))
                .has("modules")).filter(
                        name -> !Fixtures.json(Fixtures.adapter(name)
                                .resolve(AdapterCheckpoint.CONFIG_FILE)).path("init_lora_weights").asText()
                                .equals("loftq"));
    }

    /** All but those whose file is another when it is saved here. */
    static Stream<String> unchanged() {
        return Fixtures.oneOfEach("adapters", adapters().filter(name -> !name.equals(PARTED)
                && !Fixtures.json(Fixtures.adapter(name).resolve("expected.json")).has("takes_from_base")),
                "adapter_config.json", "peft_type");
    }

    @ParameterizedTest
    @MethodSource("unchanged")
    void savingWritesTheSameFiles(String name, @TempDir Path folder) {
        assertSavedAsItWas(Fixtures.adapter(name), folder);
    }

    @ParameterizedTest
    @MethodSource("io.peft4j.parity.Fixtures#oneOfEachMethod")
    void soDoesSavingOtherMethods(String name, @TempDir Path folder) {
        assertSavedAsItWas(Fixtures.method(name), folder);
    }

    private static void assertSavedAsItWas(Path original, Path folder) {
        String base = Fixtures.json(original.resolve("expected.json")).get("model").asText();
        BaseModel model = KernelsUnderTest.sharedBest(base);
        List<TokenSequence> texts = Fixtures.texts(base);
        double[] numbers;
        try (PeftModel adapted = PeftModel.load(model, original)) {
            adapted.saveAdapter(folder);
            numbers = Measure.together(adapted, texts);
        }
        assertEquals(Fixtures.json(original.resolve(AdapterCheckpoint.CONFIG_FILE)),
                Fixtures.json(folder.resolve(AdapterCheckpoint.CONFIG_FILE)));
        assertSameTensors(original.resolve(AdapterCheckpoint.WEIGHTS_FILE),
                folder.resolve(AdapterCheckpoint.WEIGHTS_FILE));
        try (PeftModel again = PeftModel.load(model, folder)) {
            assertArrayEquals(numbers, Measure.together(again, texts));
        }
    }

    @Test
    void endsThatWereTrainedApartAreSavedAsTwoAdapters(@TempDir Path folder) {
        Path original = Fixtures.adapter(PARTED);
        BaseModel model = KernelsUnderTest.sharedBest("tiny-llama");
        try (PeftModel adapted = PeftModel.load(model, original)) {
            adapted.saveAdapter(folder);
        }
        ObjectNode expected = (ObjectNode) Fixtures.json(original.resolve(AdapterCheckpoint.CONFIG_FILE));
        expected.put("ensure_weight_tying", false).withArray("target_modules").add("lm_head");
        assertEquals(expected, Fixtures.json(folder.resolve(AdapterCheckpoint.CONFIG_FILE)));
        assertSameTensors(original.resolve(AdapterCheckpoint.WEIGHTS_FILE),
                folder.resolve(AdapterCheckpoint.WEIGHTS_FILE));
    }

    /** Unsloth adds its class, names its own copy of the base, and chooses layers by one expression. */
    @Test
    void aFolderOfUnslothSaysWhatItSaysInPeft(@TempDir Path folder) throws IOException {
        Path original = Fixtures.adapter("lora");
        ObjectNode config = (ObjectNode) Fixtures.json(original.resolve(AdapterCheckpoint.CONFIG_FILE));
        config.putObject("auto_mapping").put("base_model_class", "LlamaForCausalLM")
                .put("parent_library", "transformers.models.llama.modeling_llama").put("unsloth_fixed", true);
        String blocks = "(?:self_attn|attention|attn|mlp|feed_forward|ffn|dense)";
        String layers = "(?:q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)";
        config.put("base_model_name_or_path", "unsloth/tiny-llama-bnb-4bit").put("target_modules", "(?:.*?(?:language|"
                + "text).*?" + blocks + ".*?" + layers + ".*?)|(?:\\bmodel\\.layers\\.[\\d]{1,}\\." + blocks + "\\."
                + layers + ")");
        Files.writeString(folder.resolve(AdapterCheckpoint.CONFIG_FILE), config.toString());
        Files.copy(original.resolve(AdapterCheckpoint.WEIGHTS_FILE), folder.resolve(AdapterCheckpoint.WEIGHTS_FILE));
        try (PeftModel adapted = PeftModel.load(KernelsUnderTest.sharedBest("tiny-llama"), folder)) {
            Measure.assertClose(Fixtures.doubles(Fixtures.json(original.resolve("expected.json")).get("nll_f64")),
                    Measure.oneByOne(adapted, Fixtures.texts("tiny-llama")), "texts");
        }
    }

    private static void assertSameTensors(Path expected, Path actual) {
        try (SafetensorsFile theirs = SafetensorsFile.open(expected);
                SafetensorsFile ours = SafetensorsFile.open(actual)) {
            assertEquals(theirs.tensors().keySet(), ours.tensors().keySet());
            for (TensorInfo info : theirs.tensors().values()) {
                TensorInfo written = ours.info(info.name());
                assertEquals(info.typeName(), written.typeName(), info.name());
                assertArrayEquals(info.shape(), written.shape(), info.name());
                assertArrayEquals(bytes(theirs.bytes(info.name())), bytes(ours.bytes(info.name())), info.name());
            }
        }
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] copy = new byte[buffer.remaining()];
        buffer.get(copy);
        return copy;
    }

    /** Which layers are adapted, their ranks, and the scaling, seen from outside as merged = W + scaling * B A. */
    @ParameterizedTest
    @MethodSource("plainLora")
    void ranksAndScalings(String name) {
        JsonNode expected = Fixtures.json(Fixtures.adapter(name).resolve("expected.json"));
        BaseModel model = KernelsUnderTest.sharedNaive(expected.get("model").asText());
        try (PeftModel adapted = PeftModel.load(model, Fixtures.adapter(name))) {
            Map<String, AdapterLayer> layers = new TreeMap<>();
            adapted.adapter(PeftModel.DEFAULT_ADAPTER).layers().stream().filter(AdapterFilesTest::isLowRank)
                    .forEach(layer -> layers.put(layer.slot().path(), layer));
            Map<String, JsonNode> modules = new TreeMap<>();
            expected.get("modules").properties().forEach(entry -> modules.put(entry.getKey(), entry.getValue()));
            assertEquals(modules.keySet(), layers.keySet());
            adapted.merge();
            layers.forEach((path, layer) -> {
                assertEquals(modules.get(path).get("r").asLong(), tensor(layer, "A").fileShape()[0], path);
                double scaling = modules.get(path).get("scaling").asDouble();
                double merged = scaling(layer, adapted.mergedWeights().get(path + ".weight"));
                // The merged weights are rounded to float32, which leaves this much of the quotient of two sums.
                assertEquals(scaling, merged, 1e-5 * scaling, path);
            });
        }
    }

    private static boolean isLowRank(AdapterLayer layer) {
        return layer.tensors().stream().anyMatch(tensor -> tensor.name().startsWith("lora_"));
    }

    private static AdapterTensor tensor(AdapterLayer layer, String letter) {
        return layer.tensors().stream().filter(t -> t.name().matches("lora_(embedding_)?" + letter + "(.weight)?"))
                .findFirst().orElseThrow();
    }

    /** A or B as a file holds it. */
    private static INDArray inFile(AdapterLayer layer, String letter) {
        AdapterTensor tensor = tensor(layer, letter);
        INDArray value = tensor.parameter().value();
        return tensor.isTransposed() ? value.transpose() : value;
    }

    /** The factor s that fits merged = W + s * B A best. */
    private static double scaling(AdapterLayer layer, INDArray merged) {
        float[] base = weight(layer.slot());
        float[] sum = Arrays.toFloats(merged);
        INDArray product = inFile(layer, "B").mmul(inFile(layer, "A"));
        product = layer.slot().layer() instanceof Embedding ? product.transpose() : product;
        float[] change = Arrays.toFloats(product.dup('c'));
        double above = 0;
        double below = 0;
        for (int i = 0; i < base.length; i++) {
            above += ((double) sum[i] - base[i]) * change[i];
            below += (double) change[i] * change[i];
        }
        return above / below;
    }

    private static float[] weight(Slot slot) {
        Layer layer = slot.layer();
        FrozenWeight weight = layer instanceof Linear linear ? linear.weight() : ((Embedding) layer).table();
        float[] values = new float[weight.rows() * weight.columns()];
        for (int row = 0; row < weight.rows(); row++) {
            weight.readRow(row, values, row * weight.columns());
        }
        return values;
    }
}
