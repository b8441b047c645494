package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerMemory;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LayerCopy;
import java.util.Optional;

/**
 * A decoder layer, with attention or another mixer: {@code h = x + s * norm(attention(norm(x)))},
 * {@code y = h + s * norm(mlp(norm(h)))}, each norm if there is one; or, in parallel,
 * {@code y = x + s * norm(attention(norm(x))) + s * norm(mlp(norm(x)))}. x, y [N, H]. What its plan's ending says
 * comes behind.
 */
record DecoderLayer(LayerPlan plan, Parts parts) implements LayerCopy.Part {
    /** What takes the place of a part that the layer does not have. */
    static final Slot NONE = new Slot("", (context, x) -> x);

    /** The places of the parts, in the order of the computation. */
    record Parts(Optional<Slot> attentionNorm, Slot attention, Optional<Slot> attendedNorm,
            Optional<Slot> feedForwardNorm, Slot feedForward, Optional<Slot> fedNorm, Optional<OwnInput> ownInput,
            Optional<Slot> scalar) {
        Parts copy(LayerCopy copy) {
            return new Parts(copy.of(attentionNorm), attention == NONE ? NONE : copy.of(attention),
                    copy.of(attendedNorm), copy.of(feedForwardNorm), feedForward == NONE ? NONE : copy.of(feedForward),
                    copy.of(fedNorm), ownInput, copy.of(scalar));
        }
    }

    /** The places around the layer's own input. Layers that have one keep their numbers. */
    record OwnInput(int layer, LayerPlan.OwnInput plan, Slot gate, Slot projection, Slot norm) {
        /** What is added to h, of the wanted rows. */
        Variable forward(ForwardContext all, OutputRows wanted, Variable h) {
            ForwardContext context = wanted.context();
            Variable input = wanted.of(LayerInputs.of(all, layer, plan.width()));
            return norm.forward(context, projection.forward(context, ElementwiseOps.gated(context.tape(),
                    plan.activation(), gate.forward(context, h), input)));
        }
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new DecoderLayer(plan, parts.copy(copy));
    }

    /** What it remembers of a sequence. */
    LayerMemory memory() {
        return plan.mixer().memory();
    }

    /** The pass with what later layers read of this one besides its result. */
    ForwardContext sharing(ForwardContext context, Variable x) {
        return parts.attention().layer() instanceof DecoderAttention attention && attention.isShared()
                ? attention.sharing(context, normed(context, parts.attentionNorm(), x)) : context;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Variable read = normed(context, parts.attentionNorm(), x);
        return rest(context, OutputRows.all(context), x, read, parts.attention().forward(context, read));
    }

    /** Whether {@link #forward(ForwardContext, Variable, int[])} computes what the pass's layers ask for. */
    boolean canSelectRows(ForwardContext context) {
        return context.layers().at(parts.attention()) == parts.attention().layer();
    }

    /**
     * As {@link #forward(ForwardContext, Variable)}, but gives some rows only: keys and values are computed of all
     * rows, the rest of those that are wanted.
     *
     * @param rows the rows, ascending
     */
    Variable forward(ForwardContext context, Variable x, int[] rows) {
        OutputRows wanted = OutputRows.of(context, rows);
        Variable read = normed(context, parts.attentionNorm(), x);
        return rest(context, wanted, x, read, parts.attention().layer() instanceof RowAttention attention
                ? attention.forward(context, read, wanted)
                : wanted.of(parts.attention().forward(context, read)));
    }

    /** Adds to x [N, H] what attention made of {@code read}, and what the feed-forward network makes. */
    private Variable rest(ForwardContext all, OutputRows wanted, Variable x, Variable read, Variable attended) {
        ForwardContext context = wanted.context();
        Variable input = wanted.of(x);
        Variable h = parts.attention() == NONE ? input
                : added(context, input, normed(context, parts.attendedNorm(), attended));
        Variable below = !plan.parallel() ? h : parts.feedForwardNorm().isPresent() ? input : wanted.of(read);
        Variable y = parts.feedForward() == NONE ? h
                : added(context, h, normed(context, parts.fedNorm(), parts.feedForward().forward(context,
                        normed(context, parts.feedForwardNorm(), below))));
        Variable told = parts.ownInput().map(own -> ElementwiseOps.addInto(context.tape(), y,
                own.forward(all, wanted, y))).orElse(y);
        return parts.scalar().map(slot -> ElementwiseOps.scale(context.tape(), told,
                FrozenVector.at(slot).getFloat(0))).orElse(told);
    }

    private Variable added(ForwardContext context, Variable x, Variable change) {
        Tape tape = context.tape();
        return ElementwiseOps.addInto(tape, x,
                plan.residualScale() == 1 ? change : ElementwiseOps.scale(tape, change, plan.residualScale()));
    }

    private static Variable normed(ForwardContext context, Optional<Slot> norm, Variable x) {
        return norm.map(slot -> slot.forward(context, x)).orElse(x);
    }
}
