package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.Optional;

/**
 * A decoder layer: {@code h = x + s * norm(attention(norm(x)))}, {@code y = h + s * norm(mlp(norm(h)))}, each norm
 * where there is one; x, y [N, H].
 */
final class DecoderLayer implements LayerCopy.Part {
    private final Optional<Slot> attentionNorm;
    private final Slot attention;
    private final Optional<Slot> attendedNorm;
    private final Optional<Slot> feedForwardNorm;
    private final Slot feedForward;
    private final Optional<Slot> fedNorm;
    private final float residualScale;

    DecoderLayer(Optional<Slot> attentionNorm, Slot attention, Optional<Slot> attendedNorm,
            Optional<Slot> feedForwardNorm, Slot feedForward, Optional<Slot> fedNorm, float residualScale) {
        this.attentionNorm = attentionNorm;
        this.attention = attention;
        this.attendedNorm = attendedNorm;
        this.feedForwardNorm = feedForwardNorm;
        this.feedForward = feedForward;
        this.fedNorm = fedNorm;
        this.residualScale = residualScale;
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new DecoderLayer(copy.of(attentionNorm), copy.of(attention), copy.of(attendedNorm),
                copy.of(feedForwardNorm), copy.of(feedForward), copy.of(fedNorm), residualScale);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Variable attended = attention.forward(context, normed(context, attentionNorm, x));
        return rest(WantedRows.all(context), x, attended);
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
        WantedRows wanted = WantedRows.of(context, rows);
        Variable attended = ((DecoderAttention) attention.layer()).forward(context,
                normed(context, attentionNorm, x), wanted);
        return rest(wanted, x, attended);
    }

    private Variable rest(WantedRows wanted, Variable x, Variable attended) {
        ForwardContext context = wanted.context();
        Variable h = added(context, wanted.of(x), normed(context, attendedNorm, attended));
        Variable fed = feedForward.forward(context, normed(context, feedForwardNorm, h));
        return added(context, h, normed(context, fedNorm, fed));
    }

    private Variable added(ForwardContext context, Variable x, Variable change) {
        Tape tape = context.tape();
        return ElementwiseOps.addInto(tape, x,
                residualScale == 1 ? change : ElementwiseOps.scale(tape, change, residualScale));
    }

    private static Variable normed(ForwardContext context, Optional<Slot> norm, Variable x) {
        return norm.map(slot -> slot.forward(context, x)).orElse(x);
    }
}
