package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.weight.BlockType;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.ModelExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** The text part of models of text and images. */
@ParameterizedClass
@ValueSource(strings = {"gemma3", "gemma4", "mistral3", "qwen3_5"})
class WrappedFamiliesTest {
    private static final ModelOptions F32 = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
    private static final Set<String> WITHOUT_GGUF = Set.of("gemma4", "qwen3_5");
    /** Of the largest logit; Hugging Face computes in float32, too. */
    private static final double CLOSE = 1e-5;

    @Parameter
    String name;
    @TempDir
    Path folder;
    private Path fixture;
    private JsonNode expected;

    @BeforeEach
    void copyWithTokenizer() throws IOException {
        fixture = Fixtures.FOLDER.resolve("wrapped").resolve(name);
        expected = Fixtures.json(fixture.resolve("expected.json"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(fixture.resolve(file), folder.resolve(file));
        }
        for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Fixtures.FOLDER.resolve("tiny-llama").resolve(file), folder.resolve(file));
        }
    }

    @Test
    void theTextPartAnswersAsInTransformersAlsoWithAnAdapterOfPeft() {
        try (BaseModel base = BaseModel.load(folder.toString(), F32);
                PeftModel model = base.withAdapter(fixture.resolve("adapter"))) {
            assertLogits("logits", base);
            assertLogits("adapted", model);
        }
    }

    @Test
    void anAdapterIsSavedUnderTheNamesThatPeftKnows() {
        Path saved = folder.resolve("saved");
        try (BaseModel base = BaseModel.load(folder.toString(), F32);
                PeftModel model = base.withAdapter(fixture.resolve("adapter"))) {
            model.saveAdapter(saved);
        }
        try (SafetensorsFile ours = SafetensorsFile.open(saved.resolve("adapter_model.safetensors"));
                SafetensorsFile theirs = SafetensorsFile.open(fixture.resolve("adapter/adapter_model.safetensors"))) {
            assertEquals(theirs.names(), ours.names());
        }
    }

    @Test
    void anAdapterOfTheTextModelAloneFitsAndIsSavedInsideOfTheWhole() throws IOException {
        Path alone = adapter(key -> key.replace("language_model.", ""), List.of());
        Path saved = folder.resolve("saved");
        try (BaseModel base = BaseModel.load(folder.toString(), F32); PeftModel model = base.withAdapter(alone)) {
            assertLogits("adapted", model);
            model.saveAdapter(saved);
            try (PeftModel again = base.withAdapter(saved)) {
                assertLogits("adapted", again);
            }
        }
        try (SafetensorsFile ours = SafetensorsFile.open(saved.resolve("adapter_model.safetensors"));
                SafetensorsFile theirs = SafetensorsFile.open(fixture.resolve("adapter/adapter_model.safetensors"))) {
            assertEquals(theirs.names(), ours.names());
        }
    }

    @Test
    void anAdapterOfTheWholeFitsTheTextModelAlone() {
        Path text = folder.resolve("text");
        try (BaseModel base = BaseModel.load(folder.toString(), F32)) {
            ModelExport.of(base).toFolder(text);
        }
        try (BaseModel base = BaseModel.load(text.toString(), F32);
                PeftModel model = base.withAdapter(fixture.resolve("adapter"))) {
            assertLogits("adapted", model);
            model.saveAdapter(folder.resolve("saved"));
        }
        try (SafetensorsFile saved = SafetensorsFile.open(folder.resolve("saved/adapter_model.safetensors"))) {
            assertTrue(saved.names().stream().noneMatch(key -> key.contains("language_model")),
                    saved.names()::toString);
        }
    }

    @Test
    void anAdapterOfImagesIsRefusedOrLeftOutAsAsked() throws IOException {
        Path both = adapter(key -> key, List.of("base_model.model.model.visual.blocks.0.attn.qkv.lora_A.weight"));
        try (BaseModel base = BaseModel.load(folder.toString(), F32)) {
            String message = assertThrows(AdapterMismatchException.class, () -> base.withAdapter(both)).getMessage();
            assertTrue(message.contains("for images and sounds") && message.contains("visual.blocks.0"), message);
        }
        try (BaseModel base = BaseModel.load(folder.toString(), F32.withTextPart(true));
                PeftModel model = base.withAdapter(both)) {
            assertLogits("adapted", model);
        }
    }

    /** The fixture's adapter with other keys and more tensors; its targets are the paths in the keys. */
    private Path adapter(UnaryOperator<String> renamed, List<String> more) throws IOException {
        Path copy = Files.createDirectory(folder.resolve("adapter"));
        Map<String, TensorData> tensors = new TreeMap<>();
        Set<String> targets = new TreeSet<>();
        try (SafetensorsFile file = SafetensorsFile.open(fixture.resolve("adapter/adapter_model.safetensors"))) {
            for (String key : file.names()) {
                String name = renamed.apply(key);
                tensors.put(name, TensorData.f32(file.shape(key), file.readFloats(key)));
                targets.add(name.replaceAll("base_model\\.model\\.|\\.lora_.*", ""));
            }
        }
        more.forEach(key -> tensors.put(key, TensorData.f32(new long[] {2, 2}, new float[4])));
        SafetensorsWriter.write(copy.resolve("adapter_model.safetensors"), tensors);
        ObjectNode config = (ObjectNode) Fixtures.json(fixture.resolve("adapter/adapter_config.json"));
        ArrayNode listed = config.putArray("target_modules");
        targets.forEach(listed::add);
        Files.writeString(copy.resolve("adapter_config.json"), config.toString());
        return copy;
    }

    @Test
    void whatIsExportedMergedIsAModelOfTextAlone() {
        Path merged = folder.resolve("merged");
        Path gguf = folder.resolve("merged.gguf");
        List<Path> files = new ArrayList<>(List.of(merged));
        try (BaseModel base = BaseModel.load(folder.toString(), F32);
                PeftModel model = base.withAdapter(fixture.resolve("adapter"))) {
            ModelExport.of(model).toFolder(merged);
            if (!WITHOUT_GGUF.contains(name)) {
                ModelExport.of(model).type(BlockType.F32).toGguf(gguf);
                files.add(gguf);
            }
        }
        for (Path file : files) {
            try (BaseModel text = BaseModel.load(file.toString(), F32)) {
                assertEquals(name.equals("mistral3") ? file.equals(gguf) ? "llama" : "mistral" : name + "_text",
                        text.config().modelType());
                assertLogits("adapted", text);
            }
        }
    }

    @Test
    void aConfigurationWithoutItsTextPartIsRefused() throws IOException {
        ObjectNode config = (ObjectNode) Fixtures.json(folder.resolve("config.json"));
        config.remove("text_config");
        Files.writeString(folder.resolve("config.json"), config.toString());

        String message = assertThrows(FileFormatException.class, () -> BaseModel.load(folder.toString(), F32))
                .getMessage();

        assertTrue(message.contains("text_config is missing"), message);
    }

    private void assertLogits(String key, LanguageModel model) {
        for (int i = 0; i < expected.get("rows").size(); i++) {
            int[] ids = Fixtures.ids(expected.get("rows").get(i));
            double[] wanted = Fixtures.doubles(expected.get(key).get(i));
            float[] found = Measure.logits(model, ids, ids.length - 1);
            double largest = 0;
            for (double value : wanted) {
                largest = Math.max(largest, Math.abs(value));
            }
            for (int j = 0; j < wanted.length; j++) {
                assertEquals(wanted[j], found[j], CLOSE * largest, key + ", row " + i + ", logit " + j);
            }
        }
    }
}
