package io.peft4j.models.seq2seq.internal;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.internal.CrossAttention;
import java.util.Optional;

/**
 * A layer of T5, whose parts add to what enters their norms: attention to the sequence itself, of a decoder attention
 * to the encoder, and a feed-forward network.
 *
 * @param cross norm and attention to the encoder
 */
record T5Block(Slot selfNorm, Slot self, Optional<Cross> cross, Slot feedForwardNorm, FeedForward feedForward,
        float dropout) {
    /** Attention to the encoder behind its norm. */
    record Cross(Slot norm, CrossAttention attention) {
    }

    /**
     * A feed-forward network.
     *
     * @param gate what is activated
     * @param up what it is multiplied with, where the network is gated
     */
    record FeedForward(Slot gate, Optional<Slot> up, Slot down, Activation activation) {
    }

    Variable forward(ForwardContext context, Variable x, ForwardContext read, Optional<Variable> states) {
        Variable h = sum(context, x, self.forward(context, selfNorm.forward(context, x)));
        if (cross.isPresent()) {
            Variable normed = cross.get().norm().forward(context, h);
            h = sum(context, h, cross.get().attention().forward(context, normed, read, states));
        }
        return sum(context, h, fed(context, feedForwardNorm.forward(context, h)));
    }

    private Variable fed(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        Variable gate = tape.wide(() -> feedForward.gate().forward(context, x));
        Variable inner = feedForward.up().isPresent() ? ElementwiseOps.gated(tape, feedForward.activation(), gate,
                tape.wide(() -> feedForward.up().get().forward(context, x)))
                : ElementwiseOps.activate(tape, feedForward.activation(), gate);
        return feedForward.down().forward(context, dropped(context, inner, dropout));
    }

    private Variable sum(ForwardContext context, Variable x, Variable added) {
        return context.isTraining() && dropout > 0
                ? ElementwiseOps.add(context.tape(), x, dropped(context, added, dropout))
                : ElementwiseOps.addInto(context.tape(), x, added);
    }

    static Variable dropped(ForwardContext context, Variable x, float probability) {
        return !context.isTraining() || probability == 0 ? x
                : ElementwiseOps.dropout(context.tape(), x, probability, context.nextDropoutSeed());
    }
}
