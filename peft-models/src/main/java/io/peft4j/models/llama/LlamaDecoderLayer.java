package io.peft4j.models.llama;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.List;

/**
 * A decoder layer with norms in front: {@code h = x + attention(norm1(x))}, {@code y = h + mlp(norm2(h))}; x, y [N, H].
 */
final class LlamaDecoderLayer implements Layer {
    private final Slot attentionNorm;
    private final Slot attention;
    private final Slot mlpNorm;
    private final Slot mlp;

    LlamaDecoderLayer(Slot attentionNorm, Slot attention, Slot mlpNorm, Slot mlp) {
        this.attentionNorm = attentionNorm;
        this.attention = attention;
        this.mlpNorm = mlpNorm;
        this.mlp = mlp;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Variable attended = attention.forward(context, attentionNorm.forward(context, x));
        Variable h = ElementwiseOps.addInto(context.tape(), x, attended);
        return ElementwiseOps.addInto(context.tape(), h, mlp.forward(context, mlpNorm.forward(context, h)));
    }

    /**
     * The same layer as another one of its network, with the same weights.
     *
     * @param index its number
     * @param path its path
     * @param slots gets its places, each before those that it contains
     */
    Slot copyAt(int index, String path, List<Slot> slots) {
        int at = slots.size();
        Slot normBefore = copy(attentionNorm, path, slots);
        Slot attending = ((LlamaAttention) attention.layer()).copyAt(index, path + "." + attention.name(), slots);
        Slot normBetween = copy(mlpNorm, path, slots);
        Slot feedForward = ((LlamaMlp) mlp.layer()).copyAt(path + "." + mlp.name(), slots);
        Slot slot = new Slot(path, new LlamaDecoderLayer(normBefore, attending, normBetween, feedForward));
        slots.add(at, slot);
        return slot;
    }

    /** A place of the same name and layer below another path. */
    static Slot copy(Slot slot, String path, List<Slot> slots) {
        Slot copy = new Slot(path + "." + slot.name(), slot.layer());
        slots.add(copy);
        return copy;
    }

    /** Whether {@link #forward(ForwardContext, Variable, int[])} computes what the pass's layers ask for. */
    boolean canSelectRows(ForwardContext context) {
        return context.layers().at(attention) == attention.layer();
    }

    /**
     * As {@link #forward(ForwardContext, Variable)}, but gives some rows only: keys and values are computed of all
     * rows, the rest of those that are wanted.
     *
     * @param rows the rows, ascending
     */
    Variable forward(ForwardContext context, Variable x, int[] rows) {
        Tape tape = context.tape();
        ForwardContext queries = context.onRows(rows);
        Variable normed = attentionNorm.forward(context, x);
        Variable attended = ((LlamaAttention) attention.layer()).forward(context, normed, queries,
                RowOps.gatherRows(tape, normed, rows));
        Variable h = ElementwiseOps.addInto(tape, RowOps.gatherRows(tape, x, rows), attended);
        return ElementwiseOps.addInto(tape, h, mlp.forward(queries, mlpNorm.forward(queries, h)));
    }
}
