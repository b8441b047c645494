package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.AttentionOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionLayout;
import java.util.Optional;

/**
 * The part of an attention layer between the projections of its input and that of its result. An adapter that sits on
 * the layer may put something around it: {@link ForwardContext#withAttention}.
 */
@Internal(shared = true)
@FunctionalInterface
public interface AttentionStep {
    /** Attention over the keys of the batch, or, in generation, over those of the cache, which takes the new ones. */
    AttentionStep BASE = AttentionStep::attend;

    /**
     * Computes the result [N, heads x D].
     *
     * @param context the running pass, on all rows that have keys
     */
    Variable run(ForwardContext context, AttentionInputs inputs);

    private static Variable attend(ForwardContext context, AttentionInputs inputs) {
        Tape tape = context.tape();
        AttentionLayout layout = inputs.layout();
        Optional<KvCache> cache = context.cache();
        if (cache.isEmpty()) {
            return AttentionOps.attention(tape, inputs.queries(), inputs.keys(), inputs.values(), layout,
                    inputs.shape(), inputs.extras());
        }
        cache.get().store(inputs.layer(), inputs.keys().value(), inputs.values().value(),
                context.batch().cacheRows());
        return AttentionOps.attention(tape, inputs.queries(), tape.constant(cache.get().keys(inputs.layer())),
                tape.constant(cache.get().values(inputs.layer())), layout, inputs.shape(),
                inputs.extras());
    }
}
