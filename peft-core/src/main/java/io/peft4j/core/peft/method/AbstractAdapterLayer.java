package io.peft4j.core.peft.method;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import java.util.Objects;

/** A layer of an adapter that knows its place. */
public abstract class AbstractAdapterLayer implements AdapterLayer {
    private final Slot slot;

    /** At a place. */
    protected AbstractAdapterLayer(Slot slot) {
        this.slot = Objects.requireNonNull(slot, "slot");
    }

    @Override
    public final Slot slot() {
        return slot;
    }

    /** The linear layer of the base at the place. */
    protected final Linear linear() {
        return (Linear) slot.layer();
    }

    /** x, in training with some of its elements dropped. */
    protected static Variable dropout(ForwardContext context, Variable x, double probability) {
        return context.isTraining() && probability > 0
                ? ElementwiseOps.dropout(context.tape(), x, (float) probability, context.nextDropoutSeed()) : x;
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + " on " + slot + " with " + tensors();
    }
}
