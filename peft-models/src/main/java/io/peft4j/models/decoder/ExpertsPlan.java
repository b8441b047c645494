package io.peft4j.models.decoder;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Activation;
import java.util.Optional;

/**
 * A feed-forward network of experts, of which each token goes to some: {@code gate_up_proj} and {@code down_proj} of
 * all experts stand at {@code mlp.experts}.
 *
 * @param count E, the number of experts
 * @param width the number of inner features of an expert
 * @param router how the experts of a token are chosen and weighted
 * @param gate how an expert gates
 * @param bias whether experts have biases
 * @param shared an expert for all tokens beside them
 * @param stored how checkpoints hold the experts
 */
record ExpertsPlan(int count, int width, RouterPlan router, Gate gate, boolean bias, Optional<Shared> shared,
        Stored stored) implements FeedForwardPlan {
    /** Refuses more experts for a token than there are. */
    ExpertsPlan {
        if (router.chosen() > count) {
            throw new ConfigurationException(router.chosen() + " experts for each token, but there are " + count);
        }
    }

    @Override
    public Optional<ExpertsPlan> experts() {
        return Optional.of(this);
    }

    /** The same for files with a tensor for each expert. */
    ExpertsPlan storedOneByOne() {
        return new ExpertsPlan(count, width, router, gate, bias, shared, Stored.ONE_BY_ONE);
    }

    /**
     * How experts are chosen.
     *
     * @param name the place of the router below the network's
     * @param chosen experts for each token
     * @param weights what the experts of a token are weighted with
     * @param bias whether the router has a bias
     * @param groups experts are chosen among those of the best groups; empty: among all
     */
    record RouterPlan(String name, int chosen, Weights weights, boolean bias, Optional<Groups> groups) {
        RouterPlan(String name, int chosen, Weights weights, boolean bias) {
            this(name, chosen, weights, bias, Optional.empty());
        }
    }

    /**
     * Groups of experts; the best are those whose two best experts have the largest sum.
     *
     * @param count the number of groups
     * @param chosen how many of them a token may use
     * @param factor factor on the weights of the experts
     * @param corrected whether what is not trained is added to the scores where experts are chosen
     * @param smallest added to the sum that weights are divided by, which keeps it from being 0
     */
    record Groups(int count, int chosen, double factor, boolean corrected, double smallest) {
    }

    /** What the experts of a token are weighted with. */
    enum Weights {
        /** The softmax over the scores of all experts. */
        OF_ALL,
        /** The softmax over the scores of those that were chosen: that of all, made to sum to 1. */
        OF_CHOSEN,
        /** As {@link #OF_CHOSEN}, times a number of each expert; the router reads a norm of its own. */
        OF_CHOSEN_SCALED,
        /** The sigmoid of the score of each. */
        SIGMOID,
        /** The sigmoids of the scores of those that were chosen, made to sum to 1. */
        SIGMOID_OF_CHOSEN
    }

    /** {@code f(gate) * up}. */
    sealed interface Gate {
        record Usual(Activation activation) implements Gate {
        }

        /** {@code min(gate, limit) * sigmoid(alpha * min(gate, limit)) * (clamp(up) + 1)}, as gpt-oss has it. */
        record Clamped(float alpha, float limit) implements Gate {
        }
    }

    /**
     * An expert for all tokens.
     *
     * @param name its place below the network's
     * @param network what it is made of
     * @param gate the place of a linear layer whose sigmoid it is multiplied with, if any
     * @param beside whether it is beside the network, below the layer
     */
    record Shared(String name, Gated network, Optional<String> gate, boolean beside) {
        Shared(String name, Gated network, Optional<String> gate) {
            this(name, network, gate, false);
        }
    }

    /** How checkpoints hold the experts. */
    enum Stored {
        /** A matrix for each part of each expert: {@code experts.0.gate_proj.weight} [width, H]. */
        ONE_BY_ONE,
        /**
         * All in one tensor: {@code experts.gate_up_proj} [E, H, 2 width], gate and up in turns; those from a GGUF file
         * are {@link #ONE_BY_ONE} nevertheless.
         */
        TOGETHER,
        /** As {@link #TOGETHER}, gate before up. */
        COLUMNS_TOGETHER,
        /** All in one tensor [E, 2 width, H], gate before up. */
        ROWS_TOGETHER
    }
}
