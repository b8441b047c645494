package io.peft4j.core.safetensors;

import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorInfo;
import io.peft4j.core.weight.TensorStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The tensors of one safetensors file or of a sharded checkpoint. Nothing is read when a file is opened but its header.
 */
public sealed interface Safetensors extends TensorStore permits SafetensorsFile, ShardedSafetensors {
    /** The file of a checkpoint that is not sharded. */
    String MODEL_FILE = "model.safetensors";
    /** The file that lists the shards of a checkpoint. */
    String INDEX_FILE = "model.safetensors.index.json";

    /**
     * Opens a checkpoint.
     *
     * @param path a safetensors file, an index ({@code *.json}), or a folder that holds {@value #MODEL_FILE} or
     *     {@value #INDEX_FILE}
     * @throws io.peft4j.core.error.FileFormatException when a file is damaged or hostile, or a shard is missing
     * @throws java.io.UncheckedIOException when a file does not exist or cannot be read
     */
    static Safetensors open(Path path) {
        Path file = path;
        if (Files.isDirectory(path)) {
            Path single = path.resolve(MODEL_FILE);
            Path index = path.resolve(INDEX_FILE);
            // A folder with both holds the whole model twice; transformers takes the single file, too.
            file = Files.exists(single) || !Files.exists(index) ? single : index;
        }
        return file.toString().endsWith(".json") ? ShardedSafetensors.open(file) : SafetensorsFile.open(file);
    }

    /**
     * All tensors, in the order of their data; those of a sharded checkpoint in the order of its index.
     *
     * @return an unmodifiable map from the name
     */
    Map<String, TensorInfo> tensors();

    /**
     * The free-form texts of the file.
     *
     * @return the header's {@code __metadata__}, or for a sharded checkpoint the index's {@code metadata}; empty where
     *     absent
     */
    Map<String, String> metadata();

    /** One tensor's place and type. */
    TensorInfo info(String name);

    @Override
    default Set<String> names() {
        return tensors().keySet();
    }

    @Override
    default long[] shape(String name) {
        return info(name).shape();
    }

    @Override
    default long length(String name) {
        return info(name).length();
    }

    @Override
    default Optional<BlockType> blockType(String name) {
        return info(name).type();
    }
}
