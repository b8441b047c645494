package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;

/**
 * The feed-forward network with SwiGLU (<a href="https://arxiv.org/abs/2002.05202">2002.05202</a>),
 * {@code y = (silu(x G^T) * x U^T) D^T}: x, y [N, H]; G, U [intermediate, H]; D [H, intermediate].
 */
final class GatedFeedForward implements LayerCopy.Part {
    private final Slot gate;
    private final Slot up;
    private final Slot down;

    GatedFeedForward(Slot gate, Slot up, Slot down) {
        this.gate = gate;
        this.up = up;
        this.down = down;
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new GatedFeedForward(copy.of(gate), copy.of(up), copy.of(down));
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        Variable g = tape.wide(() -> gate.forward(context, x));
        Variable u = tape.wide(() -> up.forward(context, x));
        return down.forward(context, ElementwiseOps.gated(tape, Activation.SILU, g, u));
    }
}
