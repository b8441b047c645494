package io.peft4j.models.export;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.JsonFiles;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * LoRA as mlx-lm stores it: {@code lora_a} [in, r] and {@code lora_b} [r, out] of {@code y = base(x) + scale * x a b},
 * with one rank and one scale for all layers, in {@code adapters.safetensors}, under the paths of the layers.
 */
final class MlxAdapter {
    static final String WEIGHTS = "adapters.safetensors";
    static final String CONFIG = "adapter_config.json";
    private static final String A = ".lora_a";
    private static final String B = ".lora_b";
    private static final ObjectMapper JSON = new ObjectMapper();

    private MlxAdapter() {
    }

    // ---- writing

    /** Writes a folder; smaller ranks are filled up with zeros, and other scales are brought into {@code lora_b}. */
    static void write(Path folder, BaseModel base, Adapter adapter) throws IOException {
        PlainLora.requireWritable("mlx-lm", base, adapter);
        Map<String, LowRankUpdate> updates = new LinkedHashMap<>();
        adapter.layers().forEach(layer -> updates.put(layer.slot().path(), layer.lowRankUpdate().orElseThrow()));
        int rank = updates.values().stream().mapToInt(LowRankUpdate::rank).max().orElseThrow();
        double scale = updates.values().stream().mapToDouble(LowRankUpdate::scaling).filter(s -> s != 0).findFirst()
                .orElse(1);
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        updates.forEach((path, update) -> {
            int own = update.rank();
            float[] a = java.util.Arrays.copyOf(update.aValues(), rank * update.inputs());
            float[] b = java.util.Arrays.copyOf(Arrays.transposed(update.bValues(), update.outputs(), own),
                    rank * update.outputs());
            float missing = (float) (update.scaling() / scale);
            for (int i = 0; i < b.length; i++) {
                b[i] *= missing;
            }
            tensors.put(path + A, TensorData.f32(new long[] {update.inputs(), rank},
                    Arrays.transposed(a, rank, update.inputs())));
            tensors.put(path + B, TensorData.f32(new long[] {rank, update.outputs()}, b));
        });
        ObjectNode config = JsonNodeFactory.instance.objectNode().put("fine_tune_type", "lora")
                .put("model", base.network().description().name())
                .put("num_layers", base.network().description().layers());
        ObjectNode lora = config.putObject("lora_parameters").put("rank", rank).put("scale", scale).put("dropout", 0.0);
        updates.keySet().forEach(lora.putArray("keys")::add);
        Files.createDirectories(folder);
        SafetensorsWriter.write(folder.resolve(WEIGHTS), tensors);
        AtomicFiles.writeString(folder.resolve(CONFIG), JSON.writerWithDefaultPrettyPrinter()
                .writeValueAsString(config) + "\n");
    }

    // ---- reading

    /** The tensors and the configuration of Hugging Face PEFT's form, which are filled. */
    static void read(BaseModel base, Path folder, ObjectNode config, Map<String, TensorData> tensors) {
        Path configFile = folder.resolve(CONFIG);
        JsonNode mlx = JsonFiles.read(configFile);
        String type = mlx.path("fine_tune_type").asText("lora");
        JsonNode scale = mlx.path("lora_parameters").path("scale");
        if (!type.equals("lora") || !scale.isNumber()) {
            throw new FileFormatException(configFile, "is not a LoRA adapter of mlx-lm with a scale: fine_tune_type is "
                    + type + "; train it there as lora, or fuse it there");
        }
        Map<String, PlainLora.Layer> layers = new TreeMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(WEIGHTS))) {
            for (String name : file.names().stream().sorted().toList()) {
                if (name.endsWith(A)) {
                    String path = name.substring(0, name.length() - A.length());
                    if (!file.names().contains(path + B)) {
                        throw new FileFormatException(file.path(), "has no " + path + B);
                    }
                    int rank = PlainLora.add(base, file.path(), path, matrix(file, path + A), matrix(file, path + B),
                            tensors);
                    layers.put(path, new PlainLora.Layer(rank, scale.asDouble() * rank));
                } else if (!name.endsWith(B) || !file.names().contains(name.substring(0, name.length() - 1) + "a")) {
                    throw new FileFormatException(file.path(), "holds the tensor " + name
                            + ", which is not one of a pair lora_a and lora_b");
                }
            }
        }
        PlainLora.describe(config, base, folder.resolve(WEIGHTS), layers);
    }

    private static PlainLora.Matrix matrix(SafetensorsFile file, String name) {
        return new PlainLora.Matrix(file.shape(name), file.readFloats(name));
    }
}
