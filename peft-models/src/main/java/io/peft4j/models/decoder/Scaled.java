package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LayerCopy;

/** A place with multipliers: {@code b layer(a x)}. */
record Scaled(Slot place, Factors factors) implements LayerCopy.Part {
    /**
     * The multipliers.
     *
     * @param input a
     * @param result b
     */
    record Factors(float input, float result) {
        static final Factors NONE = new Factors(1, 1);
    }

    /** The place with the multipliers, or as it is where there are none. */
    static Slot of(Slot place, Factors factors) {
        return factors.equals(Factors.NONE) ? place : new Slot(place.path() + "_scaled", new Scaled(place, factors));
    }

    /** Two places that read the same; what they give is added. */
    record Sum(Slot one, Slot other) implements LayerCopy.Part {
        @Override
        public Layer copy(LayerCopy copy) {
            return new Sum(copy.of(one), copy.of(other));
        }

        @Override
        public Variable forward(ForwardContext context, Variable x) {
            return ElementwiseOps.addInto(context.tape(), one.forward(context, x), other.forward(context, x));
        }
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new Scaled(copy.of(place), factors);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return times(context, place.forward(context, times(context, x, factors.input())), factors.result());
    }

    private static Variable times(ForwardContext context, Variable x, float factor) {
        return factor == 1 ? x : ElementwiseOps.scale(context.tape(), x, factor);
    }
}
