package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.kernel.AttentionShape;

/**
 * An attention layer of a decoder. Its projections stand at the places {@code q_proj}, {@code k_proj}, {@code v_proj}
 * and {@code o_proj} below it, or as the architecture calls them; what is between them goes through
 * {@link ForwardContext#attend}, so that adapters find it.
 */
@Internal(shared = true)
public interface SelfAttention extends Layer {
    /** Number of the layer, from 0. */
    int index();

    /** Heads and sizes. */
    AttentionShape shape();
}
