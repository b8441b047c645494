package io.peft4j.models.gguf;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.GgufDifference;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/** Reads a LoRA adapter from a GGUF file into Hugging Face PEFT's form: the way back from {@link GgufLoraFile}. */
public final class GgufLoraReader {
    private static final String A = ".lora_a";
    private static final String B = ".lora_b";
    private static final String ALPHA = "adapter.lora.alpha";
    private static final String PREFIX = "base_model.model.";

    private final GgufFile file;
    private final GgufForm form;
    private final GgufRowOrder order;
    private final Map<String, TensorData> tensors = new LinkedHashMap<>();
    private final Map<String, Integer> ranks = new TreeMap<>();
    private boolean transposed;

    private GgufLoraReader(GgufFile file, ModelConfig config) {
        this.file = file;
        this.form = Architectures.requireGguf(config);
        this.order = new GgufRowOrder(config, form);
    }

    /**
     * An adapter.
     *
     * @param ranks the rank of each layer, by its path; there may be none
     * @param alpha what each layer's change is scaled by over its rank; empty: by 1
     * @param transposed whether there are layers whose weights a checkpoint holds as [in, out]
     * @param tensors what {@code adapter_model.safetensors} holds
     */
    public record Adapter(Map<String, Integer> ranks, OptionalDouble alpha, boolean transposed,
            Map<String, TensorData> tensors) {
    }

    /**
     * Reads an adapter.
     *
     * @param file the file
     * @param config configuration of the base model
     * @param places the base model's places
     * @throws FileFormatException when it is no LoRA adapter, or for another model
     */
    public static Adapter read(GgufFile file, ModelConfig config, List<Slot> places) {
        GgufLoraReader reader = new GgufLoraReader(file, config);
        reader.requireLora();
        Map<String, Slot> byName = new LinkedHashMap<>();
        places.forEach(slot -> GgufLoraFile.name(config, reader.form, slot.path())
                .ifPresent(name -> byName.put(name, slot)));
        for (String name : file.names()) {
            if (!name.endsWith(A) && !name.endsWith(B)) {
                throw new FileFormatException(file.path(), "holds the tensor " + name + ", which is not a LoRA tensor");
            }
            if (name.endsWith(A)) {
                String weight = name.substring(0, name.length() - A.length());
                Slot slot = byName.get(weight);
                if (slot == null) {
                    throw new FileFormatException(file.path(), "is for the weight " + weight + ", which the model of "
                            + "the type " + config.modelType() + " does not have");
                }
                reader.add(slot, weight);
            } else {
                file.info(name.substring(0, name.length() - B.length()) + A);
            }
        }
        return new Adapter(reader.ranks, reader.alpha(), reader.transposed, reader.tensors);
    }

    private void requireLora() {
        GgufMetadata metadata = file.metadata();
        String type = metadata.string("adapter.type", "none");
        if (!type.equals("lora")) {
            throw new FileFormatException(file.path(), "is not a LoRA adapter: adapter.type is \"" + type + "\"");
        }
        String architecture = metadata.string("general.architecture");
        if (!architecture.equals(form.architecture())) {
            throw new FileFormatException(file.path(), "is an adapter for models of the architecture " + architecture
                    + ", the base model's is " + form.architecture());
        }
    }

    private void add(Slot slot, String weight) {
        String path = slot.path();
        long[] a = file.shape(weight + A);
        long[] b = file.shape(weight + B);
        boolean embedding = weight.equals("token_embd.weight");
        if (a.length != 2 || b.length != 2 || b[1] != (embedding ? a[1] : a[0]) || b[1] < 1) {
            throw new FileFormatException(file.path(), weight + " has the matrices " + Arrays.toString(a) + " and "
                    + Arrays.toString(b) + ", which do not have one rank of at least 1");
        }
        requireFit(slot, weight, embedding ? new long[] {a[0], b[0]} : new long[] {b[0], a[1]});
        ranks.put(path, Math.toIntExact(b[1]));
        transposed |= form.has(GgufDifference.TRANSPOSED, path + ".weight");
        float[] first = file.readFloats(weight + A);
        float[] second = inOrder(path + ".weight", file.readFloats(weight + B), (int) b[1]);
        if (embedding) {
            tensors.put(PREFIX + path + ".lora_embedding_A",
                    TensorData.f32(new long[] {a[1], a[0]},
                            io.peft4j.core.array.Arrays.transposed(first, (int) a[0], (int) a[1])));
            tensors.put(PREFIX + path + ".lora_embedding_B", TensorData.f32(b, second));
        } else {
            tensors.put(PREFIX + path + ".lora_A.weight", TensorData.f32(a, inColumns(path + ".weight", first)));
            tensors.put(PREFIX + path + ".lora_B.weight", TensorData.f32(b, second));
        }
    }

    private void requireFit(Slot slot, String weight, long[] shape) {
        long[] own = slot.layer() instanceof WeightedLayer layer ? layer.weightShape() : new long[0];
        if (!Arrays.equals(own, shape)) {
            throw new FileFormatException(file.path(), "changes a weight " + weight + " of the shape "
                    + Arrays.toString(shape) + ", the base model's is " + Arrays.toString(own)
                    + "; it was made for another model");
        }
    }

    private float[] inColumns(String name, float[] rows) {
        return order.columns(name).map(groups -> {
            float[] ordered = new float[rows.length];
            int width = groups.groups() * groups.heads() * groups.size();
            for (int i = 0; i < rows.length; i++) {
                ordered[i] = rows[i - i % width + (int) groups.toGguf(i % width)];
            }
            return ordered;
        }).orElse(rows);
    }

    private float[] inOrder(String name, float[] rows, int rank) {
        if (!order.differs(name)) {
            return rows;
        }
        float[] ordered = new float[rows.length];
        for (int row = 0; row < rows.length / rank; row++) {
            System.arraycopy(rows, (int) order.ggufRow(name, row) * rank, ordered, row * rank, rank);
        }
        return ordered;
    }

    /** llama.cpp scales a layer by alpha / rank, with one alpha for all; without one, or with 0, it scales none. */
    private OptionalDouble alpha() {
        double given = file.metadata().floating(ALPHA, 0);
        if (!Double.isFinite(given)) {
            throw new FileFormatException(file.path(), ALPHA + " is " + given + "; it must be a finite number");
        }
        return given == 0 ? OptionalDouble.empty() : OptionalDouble.of(given);
    }
}
