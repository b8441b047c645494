package io.peft4j.models.decoder.internal;

import io.peft4j.core.kernel.Activation;

/** What the feed-forward network of a layer is made of; it stands at {@code mlp} below the layer. */
sealed interface FeedForwardPlan permits FeedForwardPlan.Gated, FeedForwardPlan.Plain, ExpertsPlan {
    /**
     * {@code down(f(gate(x)) * up(x))} at {@code gate_proj}, {@code up_proj} and {@code down_proj}.
     *
     * @param width the number of inner features
     * @param activation f
     * @param bias whether the projections have biases
     * @param fused whether gate and up are one projection, {@code gate_up_proj}
     */
    record Gated(int width, Activation activation, boolean bias, boolean fused) implements FeedForwardPlan {
        /** With one projection for gate and up. */
        Gated withFusion() {
            return new Gated(width, activation, bias, true);
        }
    }

    /**
     * {@code down(f(up(x)))}.
     *
     * @param up the place of the first projection
     * @param down the place of the second one
     * @param width the number of inner features
     * @param activation f
     * @param bias whether the projections have biases
     */
    record Plain(String up, String down, int width, Activation activation, boolean bias) implements FeedForwardPlan {
    }
}
