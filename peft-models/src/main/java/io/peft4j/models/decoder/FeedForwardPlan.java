package io.peft4j.models.decoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionShape;
import java.util.List;
import java.util.Optional;

/** What the feed-forward network of a layer is made of; it is at {@code mlp} below the layer. */
sealed interface FeedForwardPlan permits FeedForwardPlan.Gated, FeedForwardPlan.ScaledGated, FeedForwardPlan.Plain,
        FeedForwardPlan.AfterCross, FeedForwardPlan.BesideExperts, FeedForwardPlan.None, ExpertsPlan {
    /** The experts in it, if any. */
    default Optional<ExpertsPlan> experts() {
        return Optional.empty();
    }

    /**
     * {@code down(f(gate(x)) * up(x))}.
     *
     * @param width the number of inner features
     * @param activation f
     * @param bias whether the projections have biases
     * @param gates the places of gate and up, or of one projection for both
     * @param down the place of the last projection
     */
    record Gated(int width, Activation activation, boolean bias, List<String> gates, String down)
            implements
                FeedForwardPlan {
        /** Copies the list. */
        public Gated {
            gates = List.copyOf(gates);
        }

        /** At {@code gate_proj}, {@code up_proj} and {@code down_proj}. */
        Gated(int width, Activation activation, boolean bias) {
            this(width, activation, bias, List.of("gate_proj", "up_proj"), "down_proj");
        }

        /** With one projection for gate and up, {@code gate_up_proj}. */
        Gated withFusion() {
            return withFusion("gate_up_proj", down);
        }

        /** With one projection for gate and up. */
        Gated withFusion(String both, String last) {
            return new Gated(width, activation, bias, List.of(both), last);
        }

        Gated withNames(String gate, String up, String last) {
            return new Gated(width, activation, bias, List.of(gate, up), last);
        }

        boolean fused() {
            return gates.size() == 1;
        }
    }

    /**
     * {@code d down(f(g gate(x)) * up(x))}.
     *
     * @param network without the factors
     * @param gate g
     * @param down d
     */
    record ScaledGated(Gated network, float gate, float down) implements FeedForwardPlan {
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

    /** None: such a layer has attention, or what stands for it, alone. */
    record None() implements FeedForwardPlan {
    }

    /**
     * A network and experts that read the same, each between norms of its own; see {@link ExpertsBeside}.
     *
     * @param network the network
     * @param beside the experts, whose places stand below the layer's
     */
    record BesideExperts(Gated network, ExpertsPlan beside) implements FeedForwardPlan {
        @Override
        public Optional<ExpertsPlan> experts() {
            return Optional.of(beside);
        }
    }

    /**
     * A network behind attention to the states of an encoder; see {@link CrossFeedForward}.
     *
     * @param name the place of the attention below the layer's
     * @param shape its heads
     * @param source columns of the states
     * @param bias whether its projections have biases
     * @param norms those around the attention, and those around the network
     * @param network the network
     */
    record AfterCross(String name, AttentionShape shape, int source, boolean bias, LayerPlan.Norms norms,
            FeedForwardPlan network) implements FeedForwardPlan {
    }
}
