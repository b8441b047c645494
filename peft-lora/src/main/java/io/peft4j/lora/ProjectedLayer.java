package io.peft4j.lora;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterLayer;
import java.util.Optional;

/** A layer that adds a change of its input to the output of the base: {@code y = base(x) + change(dropout(x))}. */
abstract class ProjectedLayer implements AdapterLayer {
    private final Slot slot;
    private final float dropout;

    ProjectedLayer(Slot slot, double dropout) {
        this.slot = slot;
        this.dropout = (float) dropout;
    }

    /** The change [N, out], a new value. */
    abstract Variable change(Tape tape, Variable x);

    @Override
    public final Slot slot() {
        return slot;
    }

    @Override
    public final Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable input = context.isTraining() && dropout > 0
                ? ElementwiseOps.dropout(tape, x, dropout, context.nextDropoutSeed()) : x;
        return ElementwiseOps.addInto(tape, change(tape, input), y);
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.empty();
    }
}
