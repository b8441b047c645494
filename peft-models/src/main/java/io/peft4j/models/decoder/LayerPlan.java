package io.peft4j.models.decoder;

import java.util.Optional;

/**
 * What a decoder layer is made of.
 *
 * @param attention its attention
 * @param feedForward its feed-forward network
 * @param norms where it has norms
 * @param residualScale factor on what attention and feed-forward network add
 */
record LayerPlan(AttentionPlan attention, FeedForwardPlan feedForward, Norms norms, float residualScale) {
    /** The places of the norms below the layer's, each where there is one. */
    record Norms(Optional<String> beforeAttention, Optional<String> afterAttention, Optional<String> beforeFeedForward,
            Optional<String> afterFeedForward) {
        /** In front of both, as in Llama. */
        static final Norms BEFORE = before("input_layernorm", "post_attention_layernorm");

        static Norms before(String attention, String feedForward) {
            return new Norms(Optional.of(attention), Optional.empty(), Optional.of(feedForward), Optional.empty());
        }
    }

    /** Llama's. */
    static LayerPlan of(AttentionPlan attention, FeedForwardPlan feedForward) {
        return new LayerPlan(attention, feedForward, Norms.BEFORE, 1);
    }

    LayerPlan withAttention(AttentionPlan value) {
        return new LayerPlan(value, feedForward, norms, residualScale);
    }

    LayerPlan withResidualScale(double value) {
        return new LayerPlan(attention, feedForward, norms, (float) value);
    }
}
