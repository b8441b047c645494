package io.peft4j.lora.init;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A safetensors file in which something that took long is kept for the next time, by the names that Hugging Face PEFT
 * has in its own files. Those are written by PyTorch and cannot be read here. Where no file is wanted, nothing is kept.
 */
final class CordaFile {
    private final String key;
    private final Optional<Path> path;
    private final Map<String, TensorData> kept = new LinkedHashMap<>();

    /** The file that a key of the configuration names. */
    CordaFile(String key, Optional<String> path) {
        this.key = key;
        this.path = path.map(Path::of);
    }

    boolean exists() {
        return path.isPresent() && Files.exists(path.get());
    }

    void put(String name, double[] values, long... shape) {
        if (path.isPresent()) {
            kept.put(name, TensorData.f32(shape, Arrays.floats(values)));
        }
    }

    /**
     * Reads a tensor.
     *
     * @throws ConfigurationException when it is not there in this shape
     * @throws io.peft4j.core.error.FileFormatException when the file is not a safetensors file
     */
    double[] read(String name, long... shape) {
        try (SafetensorsFile file = SafetensorsFile.open(path.orElseThrow())) {
            if (!file.names().contains(name) || !java.util.Arrays.equals(file.shape(name), shape)) {
                throw new ConfigurationException("corda_config: " + key + " " + path.get() + " has no tensor " + name
                        + " " + java.util.Arrays.toString(shape)
                        + "; it belongs to another model, rank or choice of layers. "
                        + "Delete it, or use another file");
            }
            return Arrays.doubles(file.readFloats(name));
        }
    }

    /** Writes what was put. */
    void save() {
        path.ifPresent(file -> SafetensorsWriter.write(file, kept));
    }
}
