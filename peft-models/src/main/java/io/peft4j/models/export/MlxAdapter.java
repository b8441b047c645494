package io.peft4j.models.export;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.support.AtomicFiles;
import io.peft4j.core.io.support.JsonFiles;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
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
    private static final String PREFIX = "base_model.model.";
    private static final ObjectMapper JSON = new ObjectMapper();

    private MlxAdapter() {
    }

    // ---- writing

    /** Writes a folder; smaller ranks are filled up with zeros, and other scales are brought into {@code lora_b}. */
    static void write(Path folder, BaseModel base, Adapter adapter) throws IOException {
        requireWritable(base, adapter);
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

    private static void requireWritable(BaseModel base, Adapter adapter) {
        List<String> reasons = new ArrayList<>();
        if (!adapter.sharedTensors().isEmpty() || adapter.layers().isEmpty()) {
            reasons.add("tensors outside of layers");
        }
        if (!adapter.invocation().isEmpty()) {
            reasons.add("an invocation by tokens");
        }
        for (AdapterLayer layer : adapter.layers()) {
            String path = layer.slot().path();
            if (layer.replacesBase() || layer.lowRankUpdate().isEmpty()) {
                reasons.add("a layer that is not a product of two matrices, " + path
                        + "; convert the adapter to LoRA by a rank");
            } else if (path.contains(".experts.") || layer.slot().layer() instanceof WeightedLayer own
                    && own.isStoredTransposed()) {
                reasons.add("a layer that has another form there, " + path);
            } else if (layer.lowRankUpdate().get().embedding() && base.network().description().tiedEmbeddings()) {
                reasons.add("the embedding " + path + ", which is the output layer, too, and would change with it");
            }
        }
        if (!reasons.isEmpty()) {
            throw new ConfigurationException("mlx-lm cannot apply this adapter: it has " + reasons.get(0)
                    + (reasons.size() > 1 ? " (and " + (reasons.size() - 1) + " more)" : ""));
        }
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
        Map<String, Integer> ranks = new TreeMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(WEIGHTS))) {
            for (String name : file.names().stream().sorted().toList()) {
                if (name.endsWith(A)) {
                    String path = name.substring(0, name.length() - A.length());
                    ranks.put(path, add(file, slot(base, file, path), tensors));
                } else if (!name.endsWith(B) || !file.names().contains(name.substring(0, name.length() - 1) + "a")) {
                    throw new FileFormatException(file.path(), "holds the tensor " + name
                            + ", which is not one of a pair lora_a and lora_b");
                }
            }
            if (ranks.isEmpty()) {
                throw new FileFormatException(file.path(), "contains no LoRA matrices");
            }
        }
        int rank = ranks.values().iterator().next();
        config.put("peft_type", "LORA").put("task_type", base.network().task().type().name()).put("r", rank)
                .put("lora_alpha", scale.asDouble() * rank).put("lora_dropout", 0.0).put("bias", "none");
        ranks.keySet().forEach(config.putArray("target_modules")::add);
        ObjectNode otherRanks = config.putObject("rank_pattern");
        ObjectNode otherAlphas = config.putObject("alpha_pattern");
        ranks.forEach((path, own) -> {
            if (own != rank) {
                otherRanks.put(path, own);
                otherAlphas.put(path, scale.asDouble() * own);
            }
        });
    }

    private static Slot slot(BaseModel base, SafetensorsFile file, String path) {
        return base.network().slots().stream().filter(slot -> slot.path().equals(path)).findFirst()
                .orElseThrow(() -> new FileFormatException(file.path(), "changes " + path + ", which the model of the "
                        + "type " + base.network().description().modelType() + " does not have"));
    }

    /** Adds the two matrices of a layer; gives their rank. */
    private static int add(SafetensorsFile file, Slot slot, Map<String, TensorData> tensors) {
        String path = slot.path();
        if (!file.names().contains(path + B)) {
            throw new FileFormatException(file.path(), "has no " + path + B);
        }
        long[] a = file.shape(path + A);
        long[] b = file.shape(path + B);
        long[] own = slot.layer() instanceof WeightedLayer layer ? layer.weightShape() : new long[0];
        boolean embedding = slot.layer() instanceof Embedding;
        long[] change = a.length == 2 && b.length == 2 && a[1] == b[0] && a[1] >= 1
                ? embedding ? new long[] {a[0], b[1]} : new long[] {b[1], a[0]} : new long[0];
        if (change.length == 0 || !java.util.Arrays.equals(own, change)) {
            throw new FileFormatException(file.path(), path + " has the matrices " + java.util.Arrays.toString(a)
                    + " and " + java.util.Arrays.toString(b) + ", the base model's weight is "
                    + java.util.Arrays.toString(own) + "; it was made for another model");
        }
        int rank = Math.toIntExact(a[1]);
        float[] right = Arrays.transposed(file.readFloats(path + A), Math.toIntExact(a[0]), rank);
        float[] left = Arrays.transposed(file.readFloats(path + B), rank, Math.toIntExact(b[1]));
        tensors.put(PREFIX + path + (embedding ? ".lora_embedding_A" : ".lora_A.weight"),
                TensorData.f32(new long[] {rank, a[0]}, right));
        tensors.put(PREFIX + path + (embedding ? ".lora_embedding_B" : ".lora_B.weight"),
                TensorData.f32(new long[] {b[1], rank}, left));
        return rank;
    }
}
