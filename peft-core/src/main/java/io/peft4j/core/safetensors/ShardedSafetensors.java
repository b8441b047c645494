package io.peft4j.core.safetensors;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.io.Closer;
import io.peft4j.core.io.MappedFile;
import io.peft4j.core.io.PlainNames;
import io.peft4j.core.weight.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeSet;

/**
 * A checkpoint in several safetensors files, with an index that says which of them holds each tensor. Opening it opens
 * and checks all shards. Tensors that the index does not list are not visible.
 */
final class ShardedSafetensors implements Safetensors {
    private final SafetensorsIndex index;
    private final Map<String, SafetensorsFile> shards = new LinkedHashMap<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

    private ShardedSafetensors(SafetensorsIndex index) {
        this.index = index;
    }

    /**
     * Opens an index and its shards.
     *
     * @param index the file {@code model.safetensors.index.json}
     * @throws FileFormatException when the index or a shard is damaged or hostile, shards are missing (all are named),
     *     or a tensor is not in the shard that the index names
     * @throws java.io.UncheckedIOException when the index does not exist or a file cannot be read
     */
    public static ShardedSafetensors open(Path index) {
        try (Closer opened = new Closer()) {
            ShardedSafetensors result = opened.add(new ShardedSafetensors(SafetensorsIndex.read(index)));
            result.openShards();
            result.collectTensors();
            opened.keep();
            return result;
        }
    }

    @Override
    public Path path() {
        return index.file();
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public Map<String, String> metadata() {
        return index.metadata();
    }

    @Override
    public TensorInfo info(String name) {
        return shard(name).info(name);
    }

    @Override
    public void readFloats(String name, long first, float[] target, int offset, int count) {
        shard(name).readFloats(name, first, target, offset, count);
    }

    @Override
    public void readBytes(String name, long position, byte[] target, int offset, int count) {
        shard(name).readBytes(name, position, target, offset, count);
    }

    @Override
    public ByteBuffer bytes(String name) {
        return shard(name).bytes(name);
    }

    @Override
    public OptionalLong address(String name) {
        return shard(name).address(name);
    }

    @Override
    public void close() {
        Closer.closeAll(shards.values());
    }

    private SafetensorsFile shard(String name) {
        String shard = index.shards().get(name);
        if (shard == null) {
            throw new FileFormatException(path(), "no tensor '" + name + "'; "
                    + SimilarNames.sentence(name, tensors.keySet()));
        }
        return shards.get(shard);
    }

    private void openShards() {
        TreeSet<String> names = new TreeSet<>(index.shards().values());
        List<String> missing = names.stream().filter(name -> !Files.exists(place(name))).toList();
        if (!missing.isEmpty()) {
            throw new FileFormatException(path(), missing.size() + " of " + names.size()
                    + " shards are missing from its folder: " + String.join(", ", missing) + "; download the model "
                    + "again");
        }
        for (String name : names) {
            shards.put(name, SafetensorsFile.open(place(name)));
        }
    }

    private void collectTensors() {
        List<String> absent = new ArrayList<>();
        index.shards().forEach((name, shard) -> {
            TensorInfo info = shards.get(shard).tensors().get(name);
            if (info == null) {
                absent.add(name + " (" + shard + ")");
            } else {
                tensors.put(name, info);
            }
        });
        if (!absent.isEmpty()) {
            throw new FileFormatException(path(), absent.size() + " of " + index.shards().size()
                    + " tensors are not in the shard that the index names: "
                    + String.join(", ", absent.subList(0, Math.min(10, absent.size())))
                    + (absent.size() > 10 ? ", ..." : ""));
        }
    }

    private Path place(String shard) {
        return index.file().resolveSibling(shard);
    }

    /**
     * The index of a sharded checkpoint, {@code model.safetensors.index.json}:
     * {@code {"metadata": {"total_size": 123}, "weight_map": {tensor: shard}}}.
     *
     * @param file the index file
     * @param shards the name of the shard that holds each tensor, in the order of the file
     * @param metadata the index's {@code metadata}, numbers as text
     */
    private record SafetensorsIndex(Path file, Map<String, String> shards, Map<String, String> metadata) {
        private static final long MAX_BYTES = 100_000_000;

        /** Makes the maps unmodifiable. */
        public SafetensorsIndex {
            shards = Collections.unmodifiableMap(new LinkedHashMap<>(shards));
            metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        }

        /**
         * Reads an index. The shards themselves are not looked at.
         *
         * @throws FileFormatException when it is not an index, or a shard's name is not the plain name of a file beside
         * it
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
}
