package io.peft4j.core.model;

import java.io.Serializable;
import java.util.Objects;

/**
 * Beam search: the answers that are most likely as a whole are followed together, as Hugging Face Transformers does.
 *
 * @param count how many are followed; 1 (the default) is no beam search
 * @param lengthPenalty an answer's log-likelihood is divided by its length to the power of this: above 0 prefers long
 *     answers; default 1
 * @param stopping when the search ends; default {@link Stopping#HEURISTIC}
 */
public record Beams(int count, double lengthPenalty, Stopping stopping) implements Serializable {
    /** When a search ends ({@code early_stopping}). */
    public enum Stopping {
        /** When as many answers have ended as are followed ({@code true}). */
        FIRST,
        /** When the best that is followed, at its length now, is no better than those that ended ({@code false}). */
        HEURISTIC,
        /** When none that is followed can become better than those that ended ({@code "never"}). */
        NEVER
    }

    /** No beam search. */
    public static final Beams NONE = of(1);

    /** Checks the ranges. */
    public Beams {
        Objects.requireNonNull(stopping, "stopping");
        Sampling.require(count > 0 && count <= 64, "beams", count, "from 1 (none) to 64");
        Sampling.require(Double.isFinite(lengthPenalty), "lengthPenalty", lengthPenalty, "a number");
    }

    /** So many beams, with a length penalty of 1. */
    public static Beams of(int count) {
        return new Beams(count, 1, Stopping.HEURISTIC);
    }
}
