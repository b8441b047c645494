package io.peft4j.core.peft.method;

import io.peft4j.core.nn.Slot;

/** A layer that holds a trained copy of weights of the base layer and runs in its place; it can always be merged. */
abstract class ReplacementLayer extends AbstractAdapterLayer {
    ReplacementLayer(Slot slot) {
        super(slot);
    }

    @Override
    public final boolean replacesBase() {
        return true;
    }
}
