package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Experts that a checkpoint has in one tensor, as Transformers has them in memory, where others have one each. */
class StackedExpertsTest {
    private static final ModelOptions F32 = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
    private static final Path APART = Fixtures.FOLDER.resolve("families/qwen3-5-moe");
    private static final int[] IDS = {1, 87, 85, 40, 200, 17, 2};

    @TempDir
    Path stacked;

    @Test
    void stackedExpertsAreThoseThatStandApart() throws IOException {
        Map<String, TensorData> tensors = new TreeMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(APART.resolve("model.safetensors"))) {
            for (String name : file.names()) {
                if (!name.contains(".experts.")) {
                    tensors.put(name, TensorData.f32(file.shape(name), file.readFloats(name)));
                }
            }
            int experts = Fixtures.json(APART.resolve("config.json")).get("num_experts").asInt();
            for (String first : file.names().stream().filter(name -> name.matches(".*experts\\.0\\.down.*")).toList()) {
                String path = first.substring(0, first.indexOf("0.down"));
                stack(file, path + "gate_up_proj", path, List.of("gate_proj", "up_proj"), experts, tensors);
                stack(file, path + "down_proj", path, List.of("down_proj"), experts, tensors);
            }
        }
        SafetensorsWriter.write(stacked.resolve("model.safetensors"), tensors);
        Files.copy(APART.resolve("config.json"), stacked.resolve("config.json"));

        assertArrayEquals(logits(APART), logits(stacked), "logits");
    }

    private static void stack(SafetensorsFile file, String name, String path, List<String> parts, int experts,
            Map<String, TensorData> tensors) {
        List<String> names = IntStream.range(0, experts).boxed()
                .flatMap(expert -> parts.stream().map(part -> path + expert + "." + part + ".weight")).toList();
        long[] shape = file.shape(names.get(0));
        float[] values = new float[Math.toIntExact(names.size() * shape[0] * shape[1])];
        for (int i = 0; i < names.size(); i++) {
            float[] own = file.readFloats(names.get(i));
            System.arraycopy(own, 0, values, i * own.length, own.length);
        }
        tensors.put(name, TensorData.f32(new long[] {experts, parts.size() * shape[0], shape[1]}, values));
    }

    private float[] logits(Path folder) throws IOException {
        Path whole = Files.createDirectory(stacked.resolve(folder.equals(stacked) ? "a" : "b"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(folder.resolve(file), whole.resolve(file));
        }
        for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Fixtures.FOLDER.resolve("tiny-llama").resolve(file), whole.resolve(file));
        }
        try (BaseModel base = BaseModel.load(whole.toString(), F32)) {
            return Measure.logits(base, IDS, IDS.length - 1);
        }
    }
}
