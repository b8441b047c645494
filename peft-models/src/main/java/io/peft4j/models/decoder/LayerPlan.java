package io.peft4j.models.decoder;

import io.peft4j.core.kernel.Activation;
import java.util.Optional;

/**
 * What a decoder layer is made of.
 *
 * @param mixer what reads the tokens before, usually attention
 * @param feedForward its feed-forward network
 * @param feedForwardName the place of the network below the layer's
 * @param norms where it has norms
 * @param parallel whether the feed-forward network reads what attention reads, instead of what it has added to; where
 *     it then has no norm in front it shares that of attention
 * @param residualScale factor on what attention and feed-forward network add
 * @param ending what comes behind both
 */
record LayerPlan(MixerPlan mixer, FeedForwardPlan feedForward, String feedForwardName, Norms norms, boolean parallel,
        float residualScale, Ending ending) {
    /**
     * What comes behind attention and feed-forward network.
     *
     * @param input what the layer reads of its own, if anything
     * @param scaled whether the result is multiplied with {@code layer_scalar}
     */
    record Ending(Optional<OwnInput> input, boolean scaled) {
        static final Ending NONE = new Ending(Optional.empty(), false);
    }

    /**
     * An own input of each layer, P wide: {@code y = h + norm(projection(f(gate(h)) * input))}; see
     * {@link LayerInputs}.
     *
     * @param name what its places stand below in the layer, with a point, or nothing
     * @param width P
     * @param activation f
     */
    record OwnInput(String name, int width, Activation activation) {
    }

    /** The places of the norms below the layer's, each if there is one. */
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
    static LayerPlan of(MixerPlan mixer, FeedForwardPlan feedForward) {
        return new LayerPlan(mixer, feedForward, "mlp", Norms.BEFORE, false, 1, Ending.NONE);
    }

    /** The attention of a layer that has one. */
    AttentionPlan attention() {
        return (AttentionPlan) mixer;
    }

    LayerPlan withAttention(AttentionPlan value) {
        return new LayerPlan(value, feedForward, feedForwardName, norms, parallel, residualScale, ending);
    }

    LayerPlan withFeedForward(FeedForwardPlan value) {
        return new LayerPlan(mixer, value, feedForwardName, norms, parallel, residualScale, ending);
    }

    LayerPlan withFeedForwardName(String value) {
        return new LayerPlan(mixer, feedForward, value, norms, parallel, residualScale, ending);
    }

    LayerPlan withNorms(Norms value) {
        return new LayerPlan(mixer, feedForward, feedForwardName, value, parallel, residualScale, ending);
    }

    LayerPlan withParallel(boolean value) {
        return new LayerPlan(mixer, feedForward, feedForwardName, norms, value, residualScale, ending);
    }

    LayerPlan withResidualScale(double value) {
        return new LayerPlan(mixer, feedForward, feedForwardName, norms, parallel, (float) value, ending);
    }

    LayerPlan withEnding(Ending value) {
        return new LayerPlan(mixer, feedForward, feedForwardName, norms, parallel, residualScale, value);
    }
}
