package io.peft4j.models.architecture;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.List;

/**
 * A feed-forward network of x [N, H], result [N, H]: {@code y = f(x U^T) D^T}, or gated (<a
 * href="https://arxiv.org/abs/2002.05202">2002.05202</a>), {@code y = (f(a) * b) D^T}, with a and b the results of two
 * U, or the columns of one in two halves.
 *
 * @param up the place of U, or those of two
 * @param dropout probability with which what enters D is dropped in training
 */
public record FeedForward(List<Slot> up, Slot down, Activation activation, boolean gated, float dropout)
        implements
            LayerCopy.Part {
    /** Copies the list. */
    public FeedForward {
        up = List.copyOf(up);
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new FeedForward(up.stream().map(copy::of).toList(), copy.of(down), activation, gated, dropout);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return down.forward(context, dropped(context, inner(context, x), dropout));
    }

    private Variable inner(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        Variable first = tape.wide(() -> up.get(0).forward(context, x));
        if (!gated) {
            return ElementwiseOps.activate(tape, activation, first);
        }
        if (up.size() == 2) {
            return ElementwiseOps.gated(tape, activation, first, tape.wide(() -> up.get(1).forward(context, x)));
        }
        int width = first.columns() / 2;
        return ElementwiseOps.gated(tape, activation, ColumnOps.slice(tape, first, 0, width),
                ColumnOps.slice(tape, first, width, 2 * width));
    }

    /** What is left of x where elements are dropped in training. */
    public static Variable dropped(ForwardContext context, Variable x, float probability) {
        return !context.isTraining() || probability == 0 ? x
                : ElementwiseOps.dropout(context.tape(), x, probability, context.nextDropoutSeed());
    }

    /** The sum of x and what a part adds to it, of which elements are dropped in training. */
    public static Variable sum(ForwardContext context, Variable x, Variable added, float probability) {
        return !context.isTraining() || probability == 0 ? ElementwiseOps.addInto(context.tape(), x, added)
                : ElementwiseOps.add(context.tape(), x, dropped(context, added, probability));
    }
}
