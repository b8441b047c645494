package io.peft4j.models.llama;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;

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
