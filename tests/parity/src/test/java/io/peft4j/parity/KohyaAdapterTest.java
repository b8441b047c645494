package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.BaseModel;
import io.peft4j.models.export.AdapterImport;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters in one file of tensors, under the names of other trainers, against what Hugging Face PEFT computed. */
class KohyaAdapterTest {
    private static final String PREFIX = "base_model.model.";

    private final BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");

    @TempDir
    private Path folder;

    /** The tensors of an adapter of Hugging Face PEFT with other names, and an alpha for each layer. */
    private Path file(String adapter, UnaryOperator<String> names, boolean alphas) {
        JsonNode config = Fixtures.json(Fixtures.adapter(adapter).resolve(AdapterCheckpoint.CONFIG_FILE));
        Map<String, TensorData> tensors = new TreeMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(Fixtures.adapter(adapter)
                .resolve(AdapterCheckpoint.WEIGHTS_FILE))) {
            for (String name : file.names()) {
                String other = names.apply(name.substring(PREFIX.length()));
                tensors.put(other, TensorData.f32(file.shape(name), file.readFloats(name)));
                if (alphas) {
                    tensors.put(other.replaceAll("\\.lora_.*", ".alpha"), TensorData.f32(new long[0],
                            new float[] {(float) config.get("lora_alpha").asDouble()}));
                }
            }
        }
        Path path = folder.resolve(adapter + ".safetensors");
        SafetensorsWriter.write(path, tensors);
        return path;
    }

    private void assertSays(String adapter, Path file) {
        Path target = AdapterImport.from(base, file, folder.resolve("out"), IfExists.FAIL);
        try (PeftModel adapted = PeftModel.load(base, target)) {
            Measure.assertClose(Fixtures.doubles(Fixtures.json(Fixtures.adapter(adapter).resolve("expected.json"))
                    .get("nll_f64")), Measure.oneByOne(adapted, Fixtures.texts("tiny-llama")), adapter);
        }
    }

    @Test
    void namesWithUnderscoresBehindAPrefix() {
        assertSays("lora", file("lora", KohyaAdapterTest::kohya, true));
    }

    private static String kohya(String name) {
        int end = name.indexOf(".lora_");
        return "lora_te_" + name.substring(0, end).replace('.', '_')
                + name.substring(end).replace("lora_A", "lora_down").replace("lora_B", "lora_up");
    }

    @Test
    void namesWithoutThePrefixOfPeft() {
        assertSays("layers", file("layers", UnaryOperator.identity(), true));
    }

    @Test
    void whatIsNotUnderstoodIsRefused() {
        Path unpaired = file("layers", name -> name.contains("lora_B") ? name.replace("lora_B", "lora_mid") : name,
                false);
        String message = assertThrows(FileFormatException.class,
                () -> AdapterImport.from(base, unpaired, folder.resolve("a"), IfExists.FAIL)).getMessage();
        assertTrue(message.contains("has no ") || message.contains("lora_mid"), message);
        Path elsewhere = file("layers", name -> name.replace("self_attn", "elsewhere"), false);
        String unknown = assertThrows(FileFormatException.class,
                () -> AdapterImport.from(base, elsewhere, folder.resolve("b"), IfExists.FAIL)).getMessage();
        assertTrue(unknown.contains("names 0 linear layers"), unknown);
    }
}
