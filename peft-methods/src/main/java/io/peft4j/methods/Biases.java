package io.peft4j.methods;

/** Which biases of the base model are trained and stored with an adapter. */
public enum Biases {
    /** None; the default. */
    NONE,
    /** Those of all layers. */
    ALL,
    /** Those of the adapted layers. */
    ADAPTED
}
