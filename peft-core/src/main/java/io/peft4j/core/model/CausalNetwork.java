package io.peft4j.core.model;

import io.peft4j.core.autograd.Variable;
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
     * The hidden states after the final norm, [N, H].
     *
     * @throws IllegalArgumentException when a token id or a position is out of the model's range
     */
    Variable hidden(ForwardContext context);

    /** Logits [M, V] of M hidden states. */
    default Variable logits(ForwardContext context, Variable hidden) {
        return head().forward(context, hidden);
    }

    /** An empty key/value cache for {@code rows} tokens. */
    KvCache newCache(int rows);

    /** Frees the weights. */
    @Override
    void close();
}
