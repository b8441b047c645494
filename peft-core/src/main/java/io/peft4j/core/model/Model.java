package io.peft4j.core.model;

import io.peft4j.core.Internal;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.text.Tokenizer;

/**
 * A model as training and evaluation see it, whatever it is for: a network, the layers that run in it (the base's own
 * or adapted ones) and a tokenizer. A base model and a base with adapters are both models, and both can be used side by
 * side though they share their weights.
 *
 * <p>Any number of threads may use a model at once. What runs in a call is what was active when it began.
 */
public interface Model {
    /** The network. */
    @Internal
    Network network();

    /** What passes run on. */
    @Internal
    Engine engine();

    /**
     * The model as it is now, kept so until the lease is closed.
     *
     * @throws io.peft4j.core.error.ClosedException when the model is closed
     */
    @Internal
    ModelLease lease();

    /** The tokenizer. */
    Tokenizer tokenizer();
}
