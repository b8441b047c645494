package io.peft4j.lora;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;

/** A layer that adds a change of its input to the output of the base: {@code y = base(x) + change(dropout(x))}. */
abstract class ProjectedLayer extends AbstractAdapterLayer {
    private final float dropout;

    ProjectedLayer(Slot slot, double dropout) {
        super(slot);
        this.dropout = (float) dropout;
    }

    /** The change [N, out], a new value. */
    abstract Variable change(Tape tape, Variable x);

    @Override
    public final Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable input = dropout(context, x, dropout);
        return ElementwiseOps.addInto(tape, change(tape, input), y);
    }
}
