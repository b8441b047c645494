package io.peft4j.core.safetensors;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.internal.MappedFile;
import io.peft4j.core.io.internal.PlainNames;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The index of a sharded checkpoint, {@code model.safetensors.index.json}:
 * {@code {"metadata": {"total_size": 123}, "weight_map": {tensor: shard}}}.
 *
 * @param file the index file
 * @param shards the name of the shard that holds each tensor, in the order of the file
 * @param metadata the index's {@code metadata}, numbers as text
 */
record SafetensorsIndex(Path file, Map<String, String> shards, Map<String, String> metadata) {
    private static final long MAX_BYTES = 100_000_000;

    /** Makes the maps unmodifiable. */
    public SafetensorsIndex {
        shards = Collections.unmodifiableMap(new LinkedHashMap<>(shards));
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }

    /**
     * Reads an index. The shards themselves are not looked at.
     *
     * @param file the index
     * @return its content
     * @throws FileFormatException when it is not an index, or a shard's name is not the plain name of a file beside it
     * @throws java.io.UncheckedIOException when it does not exist or cannot be read
     */
    public static SafetensorsIndex read(Path file) {
        byte[] json;
        try (MappedFile mapped = MappedFile.open(file)) {
            if (mapped.size() > MAX_BYTES) {
                throw new FileFormatException(file, "the index has " + mapped.size()
                        + " bytes, the limit is " + MAX_BYTES);
            }
            json = new byte[(int) mapped.size()];
            mapped.get(0, json, 0, json.length);
        }
        Map<String, String> shards = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        try (StrictJson reader = new StrictJson(file, "the index", json)) {
            reader.object("the index", key -> {
                switch (key) {
                    case "weight_map" -> shards.putAll(reader.strings("weight_map"));
                    case "metadata" -> reader.object("metadata", name -> metadata.put(name, reader.anything()));
                    default -> reader.ignore();
                }
            });
            reader.end();
        }
        if (shards.isEmpty()) {
            throw new FileFormatException(file, "the index has no weight_map that names the shard of each tensor");
        }
        shards.values().stream().distinct().forEach(shard -> checkPlain(file, shard));
        return new SafetensorsIndex(file, shards, metadata);
    }

    /** A name with a folder in it could lead anywhere on the disk. */
    private static void checkPlain(Path file, String shard) {
        if (!shard.endsWith(".safetensors") || !PlainNames.isPlain(shard)) {
            throw new FileFormatException(file, "the shard '" + shard
                    + "' must be the plain name of a .safetensors file in the same folder");
        }
    }
}
