package io.peft4j.models.export;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Plain LoRA in the form of programs whose matrices are A [in, r] and B [r, out]. */
final class PlainLora {
    private static final String PREFIX = "base_model.model.";

    private PlainLora() {
    }

    record Matrix(long[] shape, float[] values) {
    }

    /** Of a layer, which adds its change times alpha / rank. */
    record Layer(int rank, double alpha) {
    }

    /** Requires that a program that knows plain LoRA on the layers of the base applies an adapter. */
    static void requireWritable(String program, BaseModel base, Adapter adapter) {
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
            throw new ConfigurationException(program + " cannot apply this adapter: it has " + reasons.get(0)
                    + (reasons.size() > 1 ? " (and " + (reasons.size() - 1) + " more)" : ""));
        }
    }

    /**
     * Fills the configuration of Hugging Face PEFT's form.
     *
     * @param layers what a layer has, by its path; those that differ from the first are named
     * @throws FileFormatException when there are none
     */
    static void describe(ObjectNode config, BaseModel base, Path file, Map<String, Layer> layers) {
        Layer first = layers.values().stream().findFirst().orElseThrow(() -> new FileFormatException(file,
                "contains no LoRA matrices"));
        config.put("peft_type", "LORA").put("task_type", base.network().task().type().name()).put("r", first.rank())
                .put("lora_dropout", 0.0).put("bias", "none");
        put(config, "lora_alpha", first.alpha());
        layers.keySet().forEach(config.putArray("target_modules")::add);
        ObjectNode otherRanks = config.putObject("rank_pattern");
        ObjectNode otherAlphas = config.putObject("alpha_pattern");
        layers.forEach((path, own) -> {
            if (own.rank() != first.rank()) {
                otherRanks.put(path, own.rank());
            }
            if (own.alpha() != first.alpha()) {
                put(otherAlphas, path, own.alpha());
            }
        });
    }

    /** A whole number where it is one. */
    private static void put(ObjectNode node, String key, double value) {
        if (value == (int) value) {
            node.put(key, (int) value);
        } else {
            node.put(key, value);
        }
    }

    /** Adds the two matrices of a layer in Hugging Face PEFT's form; gives their rank. */
    static int add(BaseModel base, Path file, String path, Matrix right, Matrix left, Map<String, TensorData> tensors) {
        Slot slot = base.network().slots().stream().filter(each -> each.path().equals(path)).findFirst()
                .orElseThrow(() -> new FileFormatException(file, "changes " + path + ", which the model of the "
                        + "type " + base.network().description().modelType() + " does not have"));
        long[] a = right.shape();
        long[] b = left.shape();
        long[] own = slot.layer() instanceof WeightedLayer layer ? layer.weightShape() : new long[0];
        boolean embedding = slot.layer() instanceof Embedding;
        long[] change = a.length == 2 && b.length == 2 && a[1] == b[0] && a[1] >= 1
                ? embedding ? new long[] {a[0], b[1]} : new long[] {b[1], a[0]} : new long[0];
        if (change.length == 0 || !java.util.Arrays.equals(own, change)) {
            throw new FileFormatException(file, path + " has the matrices " + java.util.Arrays.toString(a)
                    + " and " + java.util.Arrays.toString(b) + ", the base model's weight is "
                    + java.util.Arrays.toString(own) + "; it was made for another model");
        }
        int rank = Math.toIntExact(a[1]);
        tensors.put(PREFIX + path + (embedding ? ".lora_embedding_A" : ".lora_A.weight"), TensorData.f32(
                new long[] {rank, a[0]}, Arrays.transposed(right.values(), Math.toIntExact(a[0]), rank)));
        tensors.put(PREFIX + path + (embedding ? ".lora_embedding_B" : ".lora_B.weight"), TensorData.f32(
                new long[] {b[1], rank}, Arrays.transposed(left.values(), rank, Math.toIntExact(b[1]))));
        return rank;
    }
}
