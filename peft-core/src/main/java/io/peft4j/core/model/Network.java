package io.peft4j.core.model;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.Optional;

/**
 * The network of a model of text: frozen layers at named places, which turn tokens into hidden states. One network
 * serves any number of adapters and passes. What else it can do is said by the interfaces that extend this one; who
 * needs that asks {@link #causal()} or {@link #headed()}.
 */
@Internal(shared = true)
public interface Network extends AutoCloseable {
    /** The sizes and names of the model. */
    ModelDescription description();

    /** What the network is for: which task its output layer serves. */
    default Task task() {
        return Task.CAUSAL_LM;
    }

    /** All places in the order of the computation, inner ones after the place that contains them. */
    List<Slot> slots();

    /** The place of the input embedding. */
    Slot embedding();

    /** The place of the layer that gives the result, such as logits, where the network has one. */
    default Optional<Slot> output() {
        return Optional.empty();
    }

    /** Whether a beginning that sequences have in common can be computed once: where no token sees a later one. */
    default boolean sharesPrefixes() {
        return true;
    }

    /**
     * Whether the state of a token depends on the length of its sequence, as with some rotary positions: then what was
     * computed of one sequence does not serve another of the same beginning.
     */
    default boolean dependsOnLength() {
        return false;
    }

    /** Whether no token sees a later one, so that tokens may be put before all sequences of a batch. */
    default boolean isCausal() {
        return true;
    }

    /** The sequences as a batch; a beginning that several have in common is computed once where that is possible. */
    default PackedBatch pack(List<TokenSequence> sequences) {
        return sharesPrefixes() ? PackedBatch.sharingPrefixes(sequences) : PackedBatch.of(sequences);
    }

    /**
     * The hidden states after the final norm, [N, H].
     *
     * @throws IllegalArgumentException when a token id or a position is out of the model's range
     */
    Variable hidden(ForwardContext context);

    /**
     * The hidden states after the final norm of some rows, [rows.length, H]. What only other rows need is not computed
     * where the network can do without.
     *
     * @param rows rows of the context's batch, in any order; a row may be asked for more than once
     * @throws IllegalArgumentException as {@link #hidden(ForwardContext)}
     */
    default Variable hidden(ForwardContext context, int... rows) {
        return RowOps.gatherRows(context.tape(), hidden(context), rows);
    }

    /**
     * The places of the decoder layers in the order of the computation, before each of which a pass can end
     * ({@link #statesBefore}) and begin ({@link ForwardContext#startingWith}). None where that is not possible.
     */
    default List<Slot> decoderLayers() {
        return List.of();
    }

    /**
     * What enters decoder layer {@code layer}, [N, H].
     *
     * @param layer a number of {@link #decoderLayers()}
     * @throws IllegalArgumentException as {@link #hidden(ForwardContext)}, or when there is no such layer
     */
    default Variable statesBefore(ForwardContext context, int layer) {
        throw new IllegalArgumentException(description().modelType() + " has no decoder layer " + layer
                + " to end a pass at");
    }

    /**
     * The factor on what routers of experts add to the loss of a training
     * ({@link io.peft4j.core.nn.RouterLoss}); 0: nothing.
     */
    default double routerLossCoefficient() {
        return 0;
    }

    /**
     * The network as one that predicts the next token.
     *
     * @throws ConfigurationException when it does not
     */
    default CausalNetwork causal() {
        throw new ConfigurationException(description().name() + " is a model of type " + description().modelType()
                + " for " + task().type() + "; it does not predict tokens, so it can neither write text nor score it");
    }

    /**
     * The network as one with the head of a task.
     *
     * @throws ConfigurationException when it has none
     */
    default HeadedNetwork headed() {
        throw new ConfigurationException(description().name() + " was loaded for " + task().type()
                + "; load it for a task with a head of its own, as ModelOptions.defaults()"
                + ".withTask(Task.classification(\"yes\", \"no\")) does");
    }

    /**
     * The network with its decoder layers in another order, each as often as it is named: layer i of the result is
     * layer {@code order.get(i)} of this one, at the path of its new number. The weights are shared and stay this
     * network's; closing the result frees nothing.
     *
     * @throws ConfigurationException when a layer does not exist, the list is empty, or networks of this architecture
     *     cannot be rearranged
     */
    default Network withLayers(List<Integer> order) {
        throw new ConfigurationException("the layers of a model of type " + description().modelType()
                + " cannot be repeated or omitted");
    }

    /** Frees the weights. */
    @Override
    void close();
}
