package io.peft4j.models.llama;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.List;

/**
 * The feed-forward network with SwiGLU (<a href="https://arxiv.org/abs/2002.05202">2002.05202</a>),
 * {@code y = (silu(x G^T) * x U^T) D^T}: x, y [N, H]; G, U [intermediate, H]; D [H, intermediate].
 */
final class LlamaMlp implements Layer {
    private final Slot gate;
    private final Slot up;
    private final Slot down;

    LlamaMlp(Slot gate, Slot up, Slot down) {
        this.gate = gate;
        this.up = up;
        this.down = down;
    }

    /** The same network in another layer, with the same weights; its places go into {@code slots}, itself first. */
    Slot copyAt(String path, List<Slot> slots) {
        int at = slots.size();
        Slot slot = new Slot(path, new LlamaMlp(LlamaDecoderLayer.copy(gate, path, slots),
                LlamaDecoderLayer.copy(up, path, slots), LlamaDecoderLayer.copy(down, path, slots)));
        slots.add(at, slot);
        return slot;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        Variable g = tape.wide(() -> gate.forward(context, x));
        Variable u = tape.wide(() -> up.forward(context, x));
        return down.forward(context, ElementwiseOps.siluMultiply(tape, g, u));
    }
}
