package io.peft4j.models.gguf;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.RowReader;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.GgufDifference;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Writes an adapter of low rank as a GGUF file that llama.cpp applies to its base model. It scales the change of a
 * layer by alpha / r with one alpha for the whole file; where a layer has another scaling, its B is multiplied by what
 * is missing.
 */
public final class GgufLoraFile {
    private GgufLoraFile() {
    }

    /**
     * Why llama.cpp cannot apply an adapter: one sentence for each reason, none where it can.
     *
     * @param adapter the adapter
     * @param config configuration of its base model
     * @param tied whether the output layer of the base model is the embedding
     */
    public static List<String> obstacles(Adapter adapter, ModelConfig config, boolean tied) {
        Optional<GgufForm> form = Architectures.of(config).gguf().map(family -> family.of(config));
        if (form.isEmpty()) {
            return List.of("llama.cpp does not support models of the type " + config.modelType());
        }
        if (!adapter.invocation().isEmpty()) {
            return List.of("it is invoked by the tokens " + adapter.invocation() + ", and llama.cpp would apply "
                    + "it to all tokens");
        }
        Map<String, List<String>> reasons = new LinkedHashMap<>();
        if (!adapter.sharedTensors().isEmpty()) {
            reasons.put("tensors outside of layers", adapter.sharedTensors().stream().map(AdapterTensor::name)
                    .toList());
        }
        for (AdapterLayer layer : adapter.layers()) {
            obstacle(layer, config, form.get(), tied).ifPresent(
                    reason -> reasons.computeIfAbsent(reason, r -> new ArrayList<>()).add(layer.slot().path()));
        }
        return reasons.entrySet().stream().map(entry -> entry.getKey() + " (" + entry.getValue().size() + ", first: "
                + entry.getValue().get(0) + ")").toList();
    }

    private static Optional<String> obstacle(AdapterLayer layer, ModelConfig config, GgufForm form,
            boolean tied) {
        String path = layer.slot().path();
        if (layer.replacesBase()) {
            return Optional.of("layers or biases that are trained as a whole; merge the adapter instead");
        }
        if (layer.lowRankUpdate().isEmpty()) {
            return Optional.of("layers that are not a product of two matrices but have "
                    + layer.tensors().stream().map(AdapterTensor::name).collect(Collectors.joining(", "))
                    + "; convert the adapter to LoRA, or merge it");
        }
        if (isWithoutUse(config, path)) {
            return Optional.empty();
        }
        if (form.has(GgufDifference.HALVED, path + ".weight")) {
            return Optional.of("layers that are two tensors in llama.cpp; merge the adapter instead");
        }
        if (name(config, form, path).isEmpty()) {
            return Optional.of("layers that llama.cpp has no tensor for");
        }
        if (form.has(GgufDifference.WITHOUT_ADAPTERS, path + ".weight")) {
            return Optional.of("layers whose adapters llama.cpp ignores; merge the adapter instead");
        }
        if (tied && (path.equals("lm_head") || layer.lowRankUpdate().get().embedding())) {
            return Optional.of("an adapter on the embedding or the output layer, which share one weight in this "
                    + "model: llama.cpp would apply it to both; merge the adapter instead");
        }
        return Optional.empty();
    }

    /**
     * Writes the file, in F32.
     *
     * @param file the file to create or replace
     * @param name what the adapter is called in it
     * @param adapter the adapter
     * @param config configuration of its base model
     * @param tied whether the output layer of the base model is the embedding
     * @throws ConfigurationException when there are {@link #obstacles}; all of them are named
     */
    public static void write(Path file, String name, Adapter adapter, ModelConfig config, boolean tied) {
        List<String> obstacles = obstacles(adapter, config, tied);
        if (!obstacles.isEmpty()) {
            throw new ConfigurationException("llama.cpp cannot apply this adapter: it has\n  "
                    + String.join("\n  ", obstacles));
        }
        List<AdapterLayer> layers = adapter.layers().stream()
                .filter(layer -> !isWithoutUse(config, layer.slot().path())).toList();
        List<LowRankUpdate> updates = layers.stream().map(l -> l.lowRankUpdate().orElseThrow()).toList();
        double alpha = updates.stream().mapToDouble(u -> u.scaling() * u.rank()).filter(a -> a != 0).findFirst()
                .orElse(1);
        GgufForm form = Architectures.requireGguf(config);
        GgufRowOrder order = new GgufRowOrder(config, form);
        GgufWriter writer = new GgufWriter();
        writer.string("general.architecture", form.architecture()).string("general.type", "adapter")
                .string("general.name", name).uint32("general.file_type", 0)
                .string("adapter.type", "lora").float32("adapter.lora.alpha", (float) alpha);
        for (int i = 0; i < updates.size(); i++) {
            String path = layers.get(i).slot().path();
            add(writer, path + ".weight", name(config, form, path).orElseThrow(), updates.get(i), alpha, order);
        }
        writer.write(file);
    }

    /** Whether nothing reads the place, as an encoder's pooler: then llama.cpp has none. */
    private static boolean isWithoutUse(ModelConfig config, String path) {
        return GgufModelFile.inCheckpoint(config, placeholder(path)).isEmpty();
    }

    private static ModelTensor placeholder(String path) {
        return new ModelTensor(path + ".weight", new long[] {1}, (row, target) -> {
        });
    }

    /** llama.cpp's name for the weight of a place; empty for experts, of which an adapter changes each separately. */
    static Optional<String> name(ModelConfig config, GgufForm form, String path) {
        List<ModelTensor> held = GgufModelFile.inCheckpoint(config, placeholder(path));
        return held.size() == 1 ? form.toGguf(held.get(0).name()) : Optional.empty();
    }

    private static void add(GgufWriter writer, String path, String name, LowRankUpdate update, double alpha,
            GgufRowOrder order) {
        int rank = update.rank();
        float[] a = update.aValues();
        float[] b = update.bValues();
        double missing = update.scaling() * rank / alpha;
        for (int i = 0; i < b.length && missing != 1; i++) {
            b[i] = (float) (missing * b[i]);
        }
        if (update.embedding()) {
            // A token takes a row of A here.
            int vocabulary = update.inputs();
            writer.tensor(name + ".lora_a", BlockType.F32, new long[] {vocabulary, rank}, (RowReader) (row, target) -> {
                for (int k = 0; k < rank; k++) {
                    target[k] = a[k * vocabulary + row];
                }
            });
        } else {
            int inputs = update.inputs();
            writer.tensor(name + ".lora_a", BlockType.F32, new long[] {rank, inputs},
                    order.reorderColumns(path, (row, target) -> System.arraycopy(a, row * inputs, target, 0, inputs)));
        }
        RowReader rows = (row, target) -> System.arraycopy(b, row * rank, target, 0, rank);
        writer.tensor(name + ".lora_b", BlockType.F32, new long[] {update.outputs(), rank}, order.reorder(path, rows));
    }
}
