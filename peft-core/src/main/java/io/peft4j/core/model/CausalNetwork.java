package io.peft4j.core.model;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.Slot;
import java.util.List;

/**
 * The network of a decoder-only language model: frozen layers at named places. One network serves any number of
 * adapters and passes.
 */
public interface CausalNetwork extends AutoCloseable {
    /** The sizes and names of the model. */
    ModelDescription description();

    /** All places in the order of the computation, inner ones after the place that contains them. */
    List<Slot> slots();

    /** The place of the input embedding. */
    Slot embedding();

    /** The place of the output layer, from hidden state to logits. */
    Slot head();

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
                + " for a pass to end at");
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

    /** Logits [M, V] of M hidden states. */
    default Variable logits(ForwardContext context, Variable hidden) {
        return head().forward(context, hidden);
    }

    /**
     * The network with its decoder layers in another order, each as often as it is named: layer i of the result is
     * layer {@code order.get(i)} of this one, at the path of its new number. The weights are shared and stay this
     * network's; closing the result frees nothing.
     *
     * @throws ConfigurationException when a layer does not exist, the list is empty, or networks of this architecture
     *     cannot be arranged anew
     */
    default CausalNetwork withLayers(List<Integer> order) {
        throw new ConfigurationException("the layers of a model of type " + description().modelType()
                + " cannot be repeated or left out");
    }

    /** An empty key/value cache for {@code rows} tokens. */
    KvCache newCache(int rows);

    /** Frees the weights. */
    @Override
    void close();
}
