package io.peft4j.core.nn;

import io.peft4j.core.autograd.Variable;

/** A part of a network: maps one value to another. Holds weights, never the state of a pass. */
@FunctionalInterface
public interface Layer {
    /**
     * Computes the output for {@code x}.
     *
     * @param context the running pass: its tape, batch and adapters
     * @param x input, usually [N, features]
     */
    Variable forward(ForwardContext context, Variable x);
}
