package io.peft4j.trackers;

import io.peft4j.core.error.ConfigurationException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What a training is.
 *
 * @param name a name for people
 * @param settings options, base model, adapter and kernels, by name
 * @param output the folder that the training writes to, where it has one
 * @param doneSteps updates that were done before, where the training is resumed
 */
public record RunDescription(String name, Map<String, String> settings, Optional<Path> output, long doneSteps) {
    /** Copies the settings in their order. */
    public RunDescription {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(output, "output");
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    /**
     * The folder that the training writes to, for a tracker without a place of its own.
     *
     * @throws ConfigurationException when it has none
     */
    public Path folder() {
        return output.orElseThrow(() -> new ConfigurationException("the training " + name + " has no output folder; "
                + "give the tracker a place"));
    }
}
