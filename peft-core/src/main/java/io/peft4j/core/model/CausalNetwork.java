package io.peft4j.core.model;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.Slot;
import java.util.Optional;

/** A network that predicts the next token: a decoder with an output layer over the vocabulary. */
@Internal(shared = true)
public interface CausalNetwork extends Network {
    /** The place of the output layer, from hidden state to logits. */
    Slot head();

    @Override
    default Optional<Slot> output() {
        return Optional.of(head());
    }

    /** Logits [M, V] of M hidden states. */
    default Variable logits(ForwardContext context, Variable hidden) {
        return head().forward(context, hidden);
    }

    /** An empty key/value cache for {@code rows} tokens. */
    KvCache newCache(int rows);

    @Override
    default CausalNetwork causal() {
        return this;
    }
}
