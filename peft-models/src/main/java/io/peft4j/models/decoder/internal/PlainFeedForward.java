package io.peft4j.models.decoder.internal;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;

/** The feed-forward network {@code y = f(x U^T) D^T}: x, y [N, H]; U [intermediate, H]; D [H, intermediate]. */
final class PlainFeedForward implements LayerCopy.Part {
    private final Slot up;
    private final Slot down;
    private final Activation activation;

    PlainFeedForward(Slot up, Slot down, Activation activation) {
        this.up = up;
        this.down = down;
        this.activation = activation;
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new PlainFeedForward(copy.of(up), copy.of(down), activation);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        Variable wide = tape.wide(() -> up.forward(context, x));
        return down.forward(context, ElementwiseOps.activate(tape, activation, wide));
    }
}
