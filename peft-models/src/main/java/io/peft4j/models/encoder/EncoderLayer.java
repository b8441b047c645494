package io.peft4j.models.encoder;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.FeedForward;
import java.util.Optional;

/**
 * A layer of an encoder, x and y [N, H]: with norms after the parts as BERT has it,
 * {@code h = norm(x + attention(x)), y = norm(h + mlp(h))}, or before them as ModernBERT has it,
 * {@code h = x + attention(norm(x)), y = h + mlp(norm(h))}.
 */
record EncoderLayer(Parts parts, boolean normsFirst, float dropout) implements Layer {
    /** The places of a layer's parts. */
    record Parts(Slot attention, Slot output, Optional<Slot> attentionNorm, FeedForward feedForward,
            Slot feedForwardNorm) {
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Variable normed = before(context, parts.attentionNorm(), x);
        Variable attended = parts.output().forward(context, parts.attention().forward(context, normed));
        return rest(context, x, attended);
    }

    /** Whether {@link #forward(ForwardContext, Variable, int[])} computes what the pass's layers ask for. */
    boolean canSelectRows(ForwardContext context) {
        return parts.attention().layer() instanceof EncoderAttention attention
                && context.layers().at(parts.attention()) == attention
                && !context.layers().needsAllRows(context.isTraining());
    }

    /**
     * As {@link #forward(ForwardContext, Variable)}, but gives some rows only: keys and values are computed of all
     * rows, the rest of those that are wanted.
     *
     * @param rows the rows, ascending
     */
    Variable forward(ForwardContext context, Variable x, int[] rows) {
        ForwardContext wanted = context.onRows(rows);
        Variable normed = before(context, parts.attentionNorm(), x);
        Variable attended = ((EncoderAttention) parts.attention().layer()).forward(context, normed, wanted,
                RowOps.gatherRows(context.tape(), normed, rows));
        return rest(wanted, RowOps.gatherRows(context.tape(), x, rows), parts.output().forward(wanted, attended));
    }

    private Variable rest(ForwardContext context, Variable x, Variable attended) {
        Variable h = after(context, parts.attentionNorm(), FeedForward.sum(context, x, attended, dropout));
        Variable fed = parts.feedForward().forward(context, before(context, Optional.of(parts.feedForwardNorm()), h));
        return after(context, Optional.of(parts.feedForwardNorm()), FeedForward.sum(context, h, fed, dropout));
    }

    private Variable before(ForwardContext context, Optional<Slot> norm, Variable x) {
        return normsFirst && norm.isPresent() ? norm.get().forward(context, x) : x;
    }

    private Variable after(ForwardContext context, Optional<Slot> norm, Variable x) {
        return !normsFirst && norm.isPresent() ? norm.get().forward(context, x) : x;
    }
}
