package io.peft4j.models.export;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.BaseModel;
import io.peft4j.models.gguf.GgufLoraReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Adapters of other programs, brought into Hugging Face PEFT's form. */
@Internal(shared = true)
public final class AdapterImport {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CONFIG = "adapter_config.json";

    private AdapterImport() {
    }

    /**
     * Writes a LoRA adapter from llama.cpp's form as a folder in Hugging Face PEFT's, which
     * {@link BaseModel#withAdapter(Path)} loads.
     *
     * @param base the model that it is for
     * @param file a GGUF file with an adapter
     * @param folder a folder that does not exist, or holds no adapter yet
     * @throws ConfigurationException when the folder holds an adapter
     * @throws io.peft4j.core.error.FileFormatException when the file is no LoRA adapter, or for another model
     * @throws UncheckedIOException when the folder cannot be written
     */
    public static void fromGguf(BaseModel base, Path file, Path folder) {
        write(base, file, AdapterImport::readGguf, folder, IfExists.FAIL);
    }

    /**
     * Writes a LoRA adapter of another program as a folder in Hugging Face PEFT's form.
     *
     * @param base the model that it is for, with the layers' names of its checkpoint
     * @param other mlx-lm's folder; a file for ONNX Runtime ({@link #isOnnx}) of 32 or 16 bit floating-point numbers,
     *     with the names that Olive gives; a file of tensors alone ({@link #isKohya}), whose names of layers may have
     *     underscores for dots, and a prefix; or a GGUF file
     * @param folder a folder
     * @param ifExists what happens to an adapter that is there
     * @return the folder: that, or the next free one
     * @throws ConfigurationException when the folder holds an adapter, and that is not allowed
     * @throws io.peft4j.core.error.FileFormatException when it is no LoRA adapter, or for another model
     * @throws UncheckedIOException when it cannot be read, or the folder not be written
     */
    public static Path from(BaseModel base, Path other, Path folder, IfExists ifExists) {
        return write(base, other, Files.isDirectory(other) ? MlxAdapter::read : isOnnx(other) ? OnnxAdapter::read
                : isKohya(other) ? KohyaAdapter::read : AdapterImport::readGguf, folder, ifExists);
    }

    private static void readGguf(BaseModel base, Path file, ObjectNode config, Map<String, TensorData> tensors) {
        try (GgufFile gguf = GgufFile.open(file)) {
            GgufLoraReader.Adapter adapter = GgufLoraReader.read(gguf, base.config(), base.network().slots());
            Map<String, PlainLora.Layer> layers = new TreeMap<>();
            adapter.ranks().forEach((path, rank) -> layers.put(path,
                    new PlainLora.Layer(rank, adapter.alpha().orElse(rank))));
            PlainLora.describe(config, base, file, layers);
            config.put("fan_in_fan_out", adapter.transposed());
            tensors.putAll(adapter.tensors());
        }
    }

    /** Whether a folder holds an adapter in mlx-lm's form. */
    public static boolean isMlx(Path folder) {
        return Files.exists(folder.resolve(MlxAdapter.WEIGHTS));
    }

    /** Whether a file's name says that it is an adapter for ONNX Runtime. */
    public static boolean isOnnx(Path file) {
        return file.toString().endsWith(OnnxAdapter.ENDING);
    }

    /** Whether a file holds tensors alone, as Kohya's trainer writes LoRA. */
    public static boolean isKohya(Path file) {
        return Files.isRegularFile(file) && file.toString().endsWith(".safetensors");
    }

    /** Reads another program's form of an adapter. */
    @FunctionalInterface
    private interface Reader {
        /** Fills the configuration and the tensors of Hugging Face PEFT's form. */
        void read(BaseModel base, Path other, ObjectNode config, Map<String, TensorData> tensors);
    }

    private static Path write(BaseModel base, Path other, Reader reader, Path folder, IfExists ifExists) {
        Path target = ifExists.choose(folder, place -> Files.exists(place.resolve(CONFIG)));
        ObjectNode config = JSON.createObjectNode();
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        reader.read(base, other, config, tensors);
        config.put("base_model_name_or_path", base.network().description().name());
        try {
            Files.createDirectories(target);
            SafetensorsWriter.write(target.resolve("adapter_model.safetensors"), tensors);
            AtomicFiles.writeString(target.resolve(CONFIG),
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(config) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of texts and numbers is JSON", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + target + ": " + e.getMessage(), e);
        }
        return target;
    }

    /**
     * LoRA in one file of tensors without a configuration, as Kohya's and LyCORIS's trainers write it: {@code
     * lora_down} [r, in], {@code lora_up} [out, r] and {@code alpha} of each layer, whose path may be written with
     * underscores and behind a prefix, such as {@code lora_te_model_layers_0_self_attn_q_proj.lora_down.weight}; also
     * {@code lora_A} and {@code lora_B}. Without an alpha it is r.
     */
    private static final class KohyaAdapter {
        private static final List<String> DOWN = List.of(".lora_down.weight", ".lora_A.weight", ".lora.down.weight",
                ".lora_A.default.weight");
        private static final List<String> UP = List.of(".lora_up.weight", ".lora_B.weight", ".lora.up.weight",
                ".lora_B.default.weight");
        private static final String ALPHA = ".alpha";

        private KohyaAdapter() {
        }

        /** Fills the tensors and the configuration of Hugging Face PEFT's form. */
        static void read(BaseModel base, Path path, ObjectNode config, Map<String, TensorData> tensors) {
            Map<String, PlainLora.Layer> layers = new TreeMap<>();
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                for (String name : file.names().stream().sorted().toList()) {
                    String layer = layer(name);
                    int form = form(DOWN, name);
                    if (form >= 0) {
                        Slot slot = slot(base, file, layer);
                        int rank = add(file, slot, name, layer + UP.get(form), tensors);
                        if (layers.put(slot.path(),
                                new PlainLora.Layer(rank, alpha(file, layer + ALPHA, rank))) != null) {
                            throw new FileFormatException(path, "changes " + slot.path() + " twice");
                        }
                    } else if (layer.isEmpty() || Stream.concat(DOWN.stream(), UP.stream())
                            .noneMatch(end -> form(DOWN, layer + end) >= 0 && file.names().contains(layer + end))) {
                        throw new FileFormatException(path,
                                "holds the tensor " + name + ", which is not one of lora_down, "
                                        + "lora_up and alpha, or of lora_A and lora_B; other methods are not read");
                    }
                }
            }
            PlainLora.describe(config, base, path, layers);
        }

        private static double alpha(SafetensorsFile file, String name, int rank) {
            if (!file.names().contains(name)) {
                return rank;
            }
            float[] values = file.readFloats(name);
            if (values.length != 1 || !Float.isFinite(values[0])) {
                throw new FileFormatException(file.path(), name + " must be one number");
            }
            return values[0];
        }

        private static int form(List<String> ends, String name) {
            for (int i = 0; i < ends.size(); i++) {
                if (name.endsWith(ends.get(i))) {
                    return i;
                }
            }
            return -1;
        }

        /** The name without the end that says what a tensor is; empty where it has none such. */
        private static String layer(String name) {
            return Stream.of(DOWN.stream(), UP.stream(), Stream.of(ALPHA)).flatMap(ends -> ends).filter(name::endsWith)
                    .findFirst().map(end -> name.substring(0, name.length() - end.length())).orElse("");
        }

        /** The layer whose path a name ends with, dots or underscores; or that ends with the name. */
        private static Slot slot(BaseModel base, SafetensorsFile file, String layer) {
            String plain = "_" + plain(layer);
            List<Slot> linear = base.network().slots().stream().filter(slot -> slot.layer() instanceof Linear).toList();
            List<Slot> found = linear.stream().filter(slot -> plain.endsWith("_" + plain(slot.path()))).toList();
            if (found.isEmpty()) {
                found = linear.stream().filter(slot -> ("_" + plain(slot.path())).endsWith(plain)).toList();
            }
            if (found.size() != 1) {
                throw new FileFormatException(file.path(), "changes " + layer + ", which names " + found.size()
                        + " linear layers of a model of the type " + base.network().description().modelType());
            }
            return found.get(0);
        }

        private static String plain(String path) {
            return path.replace('.', '_');
        }

        private static int add(SafetensorsFile file, Slot slot, String down, String up,
                Map<String, TensorData> tensors) {
            if (!file.names().contains(up)) {
                throw new FileFormatException(file.path(), "has no " + up);
            }
            long[] a = file.shape(down);
            long[] b = file.shape(up);
            Linear linear = (Linear) slot.layer();
            if (a.length != 2 || b.length != 2 || a[0] < 1 || a[0] != b[1] || a[1] != linear.inFeatures()
                    || b[0] != linear.outFeatures()) {
                throw new FileFormatException(file.path(), down + " and its counterpart have the shapes "
                        + java.util.Arrays.toString(a) + " and " + java.util.Arrays.toString(b) + ", the base model's "
                        + "weight is [" + linear.outFeatures() + ", " + linear.inFeatures()
                        + "]; it was made for another model");
            }
            String key = "base_model.model." + slot.path();
            tensors.put(key + ".lora_A.weight", TensorData.f32(a, file.readFloats(down)));
            tensors.put(key + ".lora_B.weight", TensorData.f32(b, file.readFloats(up)));
            return Math.toIntExact(a[0]);
        }
    }
}
