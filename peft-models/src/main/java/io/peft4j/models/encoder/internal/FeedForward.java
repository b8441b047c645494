package io.peft4j.models.encoder.internal;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;

/**
 * A feed-forward network, {@code y = f(x U^T) D^T}, or gated with the columns of U's result in two halves,
 * {@code y = (f(a) * b) D^T}.
 *
 * @param width columns of D
 */
record FeedForward(Slot up, Slot down, Activation activation, boolean gated, int width) {
    Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        Variable inner = tape.wide(() -> up.forward(context, x));
        if (!gated) {
            return down.forward(context, ElementwiseOps.activate(tape, activation, inner));
        }
        return down.forward(context, ElementwiseOps.gated(tape, activation, ColumnOps.slice(tape, inner, 0, width),
                ColumnOps.slice(tape, inner, width, 2 * width)));
    }
}
