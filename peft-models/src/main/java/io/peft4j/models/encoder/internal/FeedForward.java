package io.peft4j.models.encoder.internal;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import java.util.List;

/**
 * A feed-forward network, {@code y = f(x U^T) D^T}, or gated with the columns of U's result in two halves, or the
 * results of two U, {@code y = (f(a) * b) D^T}.
 *
 * @param width columns of D
 */
record FeedForward(List<Slot> up, Slot down, Activation activation, boolean gated, int width) {
    Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        Variable inner = tape.wide(() -> up.get(0).forward(context, x));
        if (up.size() == 2) {
            Variable factor = tape.wide(() -> up.get(1).forward(context, x));
            return down.forward(context, ElementwiseOps.gated(tape, activation, inner, factor));
        }
        if (!gated) {
            return down.forward(context, ElementwiseOps.activate(tape, activation, inner));
        }
        return down.forward(context, ElementwiseOps.gated(tape, activation, ColumnOps.slice(tape, inner, 0, width),
                ColumnOps.slice(tape, inner, width, 2 * width)));
    }
}
