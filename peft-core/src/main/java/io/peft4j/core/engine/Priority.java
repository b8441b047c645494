package io.peft4j.core.engine;

/** Who computes first where several want to. */
public enum Priority {
    /** Somebody waits for an answer: goes before work, and is never interrupted. */
    ANSWER,
    /** Training, evaluation and all else: gives way to answers between two operations. */
    WORK
}
