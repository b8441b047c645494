package io.peft4j.models.decoder.internal;

import java.util.Optional;

/**
 * What a decoder layer is made of.
 *
 * @param attention its attention
 * @param feedForward its feed-forward network
 * @param norms where it has norms
 * @param parallel whether the feed-forward network reads what attention reads, instead of what it has added to; where
 *     it then has no norm in front it shares that of attention
 * @param residualScale factor on what attention and feed-forward network add
 */
record LayerPlan(AttentionPlan attention, FeedForwardPlan feedForward, Norms norms, boolean parallel,
        float residualScale) {
    /** The places of the norms below the layer's, each where there is one. */
    record Norms(Optional<String> beforeAttention, Optional<String> afterAttention, Optional<String> beforeFeedForward,
            Optional<String> afterFeedForward) {
        /** In front of both, as in Llama. */
        static final Norms BEFORE = before("input_layernorm", "post_attention_layernorm");

        static Norms before(String attention, String feedForward) {
            return new Norms(Optional.of(attention), Optional.empty(), Optional.of(feedForward), Optional.empty());
        }

        static Norms after(String attention, String feedForward) {
            return new Norms(Optional.empty(), Optional.of(attention), Optional.empty(), Optional.of(feedForward));
        }

        /** Around both; in the order of the computation. */
        static Norms around(String beforeAttention, String afterAttention, String beforeFeedForward,
                String afterFeedForward) {
            return new Norms(Optional.of(beforeAttention), Optional.of(afterAttention), Optional.of(beforeFeedForward),
                    Optional.of(afterFeedForward));
        }

        /** In front of the feed-forward network alone. */
        static Norms beforeFeedForward(String name) {
            return new Norms(Optional.empty(), Optional.empty(), Optional.of(name), Optional.empty());
        }

        /** One in front of attention, for both. */
        static Norms shared(String name) {
            return new Norms(Optional.of(name), Optional.empty(), Optional.empty(), Optional.empty());
        }
    }

    /** Llama's. */
    static LayerPlan of(AttentionPlan attention, FeedForwardPlan feedForward) {
        return new LayerPlan(attention, feedForward, Norms.BEFORE, false, 1);
    }

    LayerPlan withAttention(AttentionPlan value) {
        return new LayerPlan(value, feedForward, norms, parallel, residualScale);
    }

    LayerPlan withFeedForward(FeedForwardPlan value) {
        return new LayerPlan(attention, value, norms, parallel, residualScale);
    }

    LayerPlan withNorms(Norms value) {
        return new LayerPlan(attention, feedForward, value, parallel, residualScale);
    }

    LayerPlan withParallel(boolean value) {
        return new LayerPlan(attention, feedForward, norms, value, residualScale);
    }

    LayerPlan withResidualScale(double value) {
        return new LayerPlan(attention, feedForward, norms, parallel, (float) value);
    }
}
