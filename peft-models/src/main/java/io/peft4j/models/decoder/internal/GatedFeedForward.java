package io.peft4j.models.decoder.internal;

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
 * The gated feed-forward network (<a href="https://arxiv.org/abs/2002.05202">2002.05202</a>),
 * {@code y = (f(x G^T) * x U^T) D^T}: x, y [N, H]; G, U [intermediate, H], or one above the other as a single
 * projection; D [H, intermediate].
 */
final class GatedFeedForward implements LayerCopy.Part {
    private final List<Slot> gates;
    private final Slot down;
    private final Activation activation;

    /**
     * A network of the given places.
     *
     * @param gates gate and up, or one for both
     */
    GatedFeedForward(List<Slot> gates, Slot down, Activation activation) {
        this.gates = List.copyOf(gates);
        this.down = down;
        this.activation = activation;
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new GatedFeedForward(gates.stream().map(copy::of).toList(), copy.of(down), activation);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        Variable first = tape.wide(() -> gates.get(0).forward(context, x));
        if (gates.size() == 1) {
            int width = first.columns() / 2;
            return down.forward(context, ElementwiseOps.gated(tape, activation,
                    ColumnOps.slice(tape, first, 0, width), ColumnOps.slice(tape, first, width, 2 * width)));
        }
        Variable up = tape.wide(() -> gates.get(1).forward(context, x));
        return down.forward(context, ElementwiseOps.gated(tape, activation, first, up));
    }
}
