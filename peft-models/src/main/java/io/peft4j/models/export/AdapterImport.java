package io.peft4j.models.export;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.BaseModel;
import io.peft4j.models.gguf.GgufLoraReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

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
}
