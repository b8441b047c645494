package io.peft4j.models.seq2seq;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;

/**
 * Attention of T5 of a sequence to itself: scores are not scaled and have a bias by distance.
 *
 * @param index number of the layer in the key/value cache
 */
record T5Attention(int index, AttentionShape shape, Slot query, Slot key, Slot value, Slot output,
        AttentionExtras bias) implements SelfAttention {
    /** Attention of x [N, H] to itself. */
    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return output.forward(context, context.attend(new AttentionInputs(index, shape, context.batch().layout(),
                query.forward(context, x), key.forward(context, x), value.forward(context, x),
                bias)));
    }
}
