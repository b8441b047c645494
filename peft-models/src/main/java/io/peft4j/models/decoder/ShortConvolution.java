package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.SequenceMemory;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LayerCopy;

/**
 * A gated short convolution (<a href="https://arxiv.org/abs/2511.23404">2511.23404</a>): with (b, c, z) three parts of
 * {@code in(x)}, {@code y = out(c * convolution(b * z))}; x, y [N, H]. It remembers the last K - 1 inputs of the
 * convolution.
 */
record ShortConvolution(int layer, Slot in, Slot convolution, Slot out) implements LayerCopy.Part {
    @Override
    public Layer copy(LayerCopy copy) {
        return new ShortConvolution(copy.index(), copy.of(in), copy.of(convolution), copy.of(out));
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        Variable all = tape.wide(() -> in.forward(context, x));
        int width = all.columns() / 3;
        Variable gated = ElementwiseOps.multiply(tape, ColumnOps.slice(tape, all, 0, width),
                ColumnOps.slice(tape, all, 2 * width, 3 * width));
        SequenceMemory memory = SequenceMemory.of(context, layer, 1);
        Variable convolved = ((DepthwiseConvolution) convolution.layer()).run(context, gated, memory.order(),
                memory.states().get(0));
        return out.forward(context, ElementwiseOps.multiply(tape, ColumnOps.slice(tape, all, width, 2 * width),
                convolved));
    }
}
