package io.peft4j.models.decoder;

import io.peft4j.core.kernel.AttentionShape;
import java.util.Objects;
import java.util.Optional;

/**
 * What the attention of a layer is made of.
 *
 * @param name the place below the layer
 * @param shape heads, sizes, and the scale of the scores
 * @param projections where queries, keys and values come from
 * @param output the place of the projection of the result, below the attention's own
 * @param bias whether the projections of the input have biases
 * @param outputBias whether that of the result has one
 * @param norms norms of queries and keys, if any
 * @param rotary rotary positions; empty in a layer without positions
 * @param window how many tokens a token sees, itself included; 0: all before it
 */
record AttentionPlan(String name, AttentionShape shape, Projections projections, String output, boolean bias,
        boolean outputBias, Optional<HeadNorms> norms, Optional<RotaryEmbedding> rotary, int window) {
    /** Where queries, keys and values come from; names are below the attention's place. */
    sealed interface Projections {
    }

    /** A projection each. */
    record Separate(String query, String key, String value) implements Projections {
    }

    /**
     * Norms of queries and keys, below the attention's place.
     *
     * @param whole whether a norm covers all heads at once instead of each by itself
     */
    record HeadNorms(String query, String key, boolean whole) {
    }

    /** Refuses null. */
    AttentionPlan {
        Objects.requireNonNull(shape, "shape");
        Objects.requireNonNull(norms, "norms");
        Objects.requireNonNull(rotary, "rotary");
    }

    /** Llama's. */
    static AttentionPlan of(AttentionShape shape, RotaryEmbedding rotary) {
        return new AttentionPlan("self_attn", shape, new Separate("q_proj", "k_proj", "v_proj"), "o_proj", false, false,
                Optional.empty(), Optional.of(rotary), 0);
    }

    AttentionPlan withShape(AttentionShape value) {
        return new AttentionPlan(name, value, projections, output, bias, outputBias, norms, rotary, window);
    }

    AttentionPlan withBiases(boolean inputs, boolean result) {
        return new AttentionPlan(name, shape, projections, output, inputs, result, norms, rotary, window);
    }

    AttentionPlan withNorms(HeadNorms value) {
        return new AttentionPlan(name, shape, projections, output, bias, outputBias, Optional.of(value), rotary,
                window);
    }

    AttentionPlan withRotary(Optional<RotaryEmbedding> value) {
        return new AttentionPlan(name, shape, projections, output, bias, outputBias, norms, value, window);
    }
}
