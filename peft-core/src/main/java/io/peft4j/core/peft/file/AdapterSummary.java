package io.peft4j.core.peft.file;

import io.peft4j.core.Internal;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.weight.TensorInfo;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an adapter's folder holds, read without its base model.
 *
 * @param config its configuration
 * @param method the method
 * @param tensors number of tensors
 * @param values number of values in all of them
 * @param bytes size of their data
 * @param types number of tensors by type of their values
 */
@Internal(shared = true)
public record AdapterSummary(PeftConfig config, PeftMethod method, int tensors, long values, long bytes,
        Map<String, Integer> types) {
    /** Copies the map. */
    public AdapterSummary {
        types = Collections.unmodifiableMap(new TreeMap<>(types));
    }

    /**
     * Reads a folder.
     *
     * @throws io.peft4j.core.error.PeftException when it holds no adapter, or a file is damaged
     * @throws java.io.UncheckedIOException when a file cannot be read
     */
    public static AdapterSummary read(Path folder) {
        PeftConfig config = AdapterCheckpoint.readConfig(folder);
        try (SafetensorsFile file = SafetensorsFile.open(AdapterCheckpoint.existing(folder,
                AdapterCheckpoint.WEIGHTS_FILE))) {
            Map<String, Integer> types = new TreeMap<>();
            long values = 0;
            long bytes = 0;
            for (TensorInfo info : file.tensors().values()) {
                types.merge(info.typeName(), 1, Integer::sum);
                values += Arrays.stream(info.shape()).reduce(1, (a, b) -> a * b);
                bytes += file.length(info.name());
            }
            return new AdapterSummary(config, PeftMethods.byType(config.peftType()), file.tensors().size(), values,
                    bytes, types);
        }
    }
}
