package io.peft4j.models.decoder;

/** What the feed-forward network of a layer is made of. Names are below the network's place. */
sealed interface FeedForwardPlan {
    /**
     * {@code down(f(gate(x)) * up(x))}.
     *
     * @param width the number of inner features
     * @param bias whether the projections have biases
     */
    record Gated(int width, boolean bias) implements FeedForwardPlan {
    }
}
