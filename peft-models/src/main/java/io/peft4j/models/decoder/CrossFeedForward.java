package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.CrossAttention;

/**
 * What a decoder layer adds to h [N, H] that looks at an encoder before its feed-forward network:
 * {@code c + norm(mlp(norm(h + c)))}, {@code c = norm(cross(norm(h)))}.
 */
record CrossFeedForward(Slot crossNorm, CrossAttention cross, Slot crossedNorm, Slot feedForwardNorm, Slot feedForward,
        Slot fedNorm) implements Layer {
    /** What the pass gives the encoder's states by, unless a cache holds their keys and values. */
    static final String STATES = "encoder";

    @Override
    public Variable forward(ForwardContext context, Variable h) {
        Variable c = crossedNorm.forward(context, cross.forward(context, crossNorm.forward(context, h),
                context.onSource(), context.given(STATES)));
        Variable sum = ElementwiseOps.add(context.tape(), h, c);
        Variable fed = feedForward.forward(context, feedForwardNorm.forward(context, sum));
        return ElementwiseOps.addInto(context.tape(), c, fedNorm.forward(context, fed));
    }
}
