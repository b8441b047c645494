package io.peft4j.lora;

/** How the sign that counts is elected among several adapters' values. */
public enum MajoritySign {
    /** The sign of their sum; the default. */
    TOTAL,
    /** The sign that most of them have. */
    FREQUENCY
}
