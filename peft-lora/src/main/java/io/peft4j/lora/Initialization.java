package io.peft4j.lora;

import io.peft4j.core.peft.Initializer;

/**
 * How a new adapter begins. A [r, in] and B [out, r] are those of a linear layer; an embedding's A [r, V] and B [H, r]
 * change roles: A is what begins at zero.
 */
public enum Initialization {
    /**
     * A as PyTorch begins a linear layer, uniform in 1 / sqrt(in), B zero: the model begins as the base. The default.
     */
    KAIMING("true"),
    /** A normal with standard deviation 1/r, B zero: the model begins as the base. */
    GAUSSIAN("\"gaussian\""),
    /** A and B both random: the model begins away from the base. For tests. */
    RANDOM("false");

    private final String json;

    Initialization(String json) {
        this.json = json;
    }

    /** The value of {@code init_lora_weights} in {@code adapter_config.json}. */
    String json() {
        return json;
    }

    /** For A [r, in]. */
    Initializer a(int rank, long in) {
        return this == GAUSSIAN ? Initializer.normal(1.0 / rank) : Initializer.linear(in);
    }

    /** For B [out, r] and its bias [out]. */
    Initializer b(int rank) {
        return this == RANDOM ? Initializer.linear(rank) : Initializer.ZEROS;
    }

    /** For an embedding's A [r, V]. */
    Initializer embeddingA() {
        return this == RANDOM ? Initializer.normal(1) : Initializer.ZEROS;
    }

    /** For an embedding's B [H, r]. */
    Initializer embeddingB() {
        return Initializer.normal(1);
    }
}
