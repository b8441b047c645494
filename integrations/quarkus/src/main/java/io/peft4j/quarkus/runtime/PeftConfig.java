package io.peft4j.quarkus.runtime;

import io.peft4j.core.Internal;
import io.peft4j.models.ModelOptions;
import io.quarkus.runtime.annotations.ConfigPhase;
import io.quarkus.runtime.annotations.ConfigRoot;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What an application sets. The names are those of the Spring Boot starter behind {@code quarkus.}: a mapping must know
 * all properties that begin as it does, and the engine reads system properties that begin with {@code peft4j}.
 */
@Internal
@ConfigMapping(prefix = "quarkus.peft4j")
@ConfigRoot(phase = ConfigPhase.RUN_TIME)
public interface PeftConfig {
    /** The base model: an ID on the hub, a folder, a GGUF file or {@code tiny}. */
    String model();

    /** What the weights are kept in, which decides the memory: auto, f32, bf16, int8 or q4. */
    @WithDefault("auto")
    ModelOptions.Precision dtype();

    /** Threads of the engine; 0 means all processors. */
    @WithDefault("0")
    int threads();

    /** The form of tool calls that the chat template gets where it shows no tools, such as hermes. */
    Optional<String> toolForm();

    /** A folder whose sub-folders are adapters, by name. */
    Optional<Path> adapters();

    /**
     * The adapter that answers where a request names none, {@code __base__} for the base. Without it that is the only
     * one that there is, and the base if there is none. Needed where there are several.
     */
    Optional<String> defaultAdapter();

    /** A PEM file of a public key: adapters are taken only where they were signed with its private one. */
    Optional<Path> trustedKey();

    /** How often the folder is looked at for adapters that are new, changed or gone; 0 means never. */
    @WithDefault("2s")
    Duration reload();

    /** The most new tokens of an answer, where a request does not say otherwise. */
    @WithDefault("256")
    int maxTokens();

    /** 0 takes the most likely token, where a request does not say otherwise. */
    @WithDefault("0")
    double temperature();
}
