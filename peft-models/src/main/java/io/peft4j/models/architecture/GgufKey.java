package io.peft4j.models.architecture;

import java.util.Objects;

/**
 * A value that llama.cpp keeps under one key and Hugging Face's {@code config.json} under another.
 *
 * @param gguf llama.cpp's key, without the name of the architecture in front
 * @param config the key of {@code config.json}
 * @param kind what kind of value it is
 * @param fallback what holds where {@code config.json} has no value; empty where it must have one
 */
public record GgufKey(String gguf, String config, Kind kind, String fallback) {
    /** The kinds of values. */
    public enum Kind {
        /** A whole number, 32 bits without a sign. */
        COUNT,
        /** A 32-bit float. */
        NUMBER,
        /** True or false. */
        FLAG,
        /** As {@link #COUNT}, and may be missing on either side. */
        OPTIONAL_COUNT,
        /** As {@link #FLAG}, and may be missing on either side. */
        OPTIONAL_FLAG,
        /** As {@link #COUNT}, or 0. */
        COUNT_OR_NONE,
        /** As {@link #NUMBER}, and may be missing on either side. */
        OPTIONAL_NUMBER
    }

    /** Refuses null. */
    public GgufKey {
        Objects.requireNonNull(gguf, "gguf");
        Objects.requireNonNull(config, "config");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(fallback, "fallback");
    }

    /** Whether the value may be missing, with nothing in its place. */
    public boolean isOptional() {
        return kind == Kind.OPTIONAL_COUNT || kind == Kind.OPTIONAL_NUMBER || kind == Kind.OPTIONAL_FLAG;
    }
}
