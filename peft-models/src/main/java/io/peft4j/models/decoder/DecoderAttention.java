package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LayerCopy;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Causal self-attention with grouped-query heads (<a href="https://arxiv.org/abs/2305.13245">2305.13245</a>): x and
 * result [N, H]; queries [N, heads x D], keys and values [N, key/value heads x D]. Queries and keys are normalized and
 * get rotary positions where the plan says so.
 */
record DecoderAttention(int layer, AttentionPlan plan, Projections projections, Slot output, Optional<Slot> sinks,
        Optional<Slot> queryNorm, Optional<Slot> keyNorm) implements SelfAttention, RowAttention, LayerCopy.Part {
    @Override
    public Layer copy(LayerCopy copy) {
        return new DecoderAttention(copy.index(), plan, projections.copy(copy), copy.of(output), copy.of(sinks),
                copy.of(queryNorm), copy.of(keyNorm));
    }

    @Override
    public int index() {
        return layer;
    }

    @Override
    public AttentionShape shape() {
        return plan.shape();
    }

    /** Whether later layers attend to its keys and values, too. */
    boolean isShared() {
        return plan.projections() instanceof AttentionPlan.NormedValues values && values.shared();
    }

    /**
     * The pass with keys and values of this layer, which is {@linkplain #isShared shared}.
     *
     * @param x the input of this attention
     */
    ForwardContext sharing(ForwardContext context, Variable x) {
        SharedKeys own = ((Projections.NormedValues) projections).keysAndValues(context, x);
        return new SharedKeys(RowAttention.positioned(plan, context, own.keys(), keyNorm), own.values())
                .given(context, layer);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, OutputRows wanted) {
        Optional<SharedKeys> shared = SharedKeys.in(context, layer);
        Projections.Projected projected = shared.map(known -> new Projections.Projected(
                ((Projections.NormedValues) projections).queries(x, wanted), known.keys(), known.values()))
                .orElseGet(() -> projections.project(context, x, wanted));
        int length = context.batch().maxPosition() + 1;
        Variable queries = scaled(wanted.context(), RowAttention.positioned(plan, wanted.context(),
                projected.queries(), queryNorm), length);
        Variable keys = shared.map(SharedKeys::keys)
                .orElseGet(() -> RowAttention.positioned(plan, context, projected.keys(), keyNorm));
        Variable attended = context.attend(new AttentionInputs(layer, plan.shape(), RowAttention.seen(plan, wanted,
                length), queries, keys, plan.clipped(context.tape(), projected.values()),
                sinks.map(slot -> AttentionExtras.sinks(FrozenVector.at(
                        slot))).orElse(AttentionExtras.NONE)));
        Variable heads = plan.valueSize() == plan.shape().headSize() ? attended
                : ColumnOps.slice(context.tape(), attended, plan.shape().heads(), 0, plan.valueSize());
        return output.forward(wanted.context(), projected.gate().map(gate -> ElementwiseOps.gated(context.tape(),
                Activation.SIGMOID, gate, heads)).orElse(heads));
    }

    /** Queries times their factor by position, where one of them is not 1. */
    private Variable scaled(ForwardContext context, Variable queries, int length) {
        Optional<AttentionPlan.QueryScale> scale = plan.positions().queryScale().filter(s -> s.original() < length);
        if (scale.isEmpty()) {
            return queries;
        }
        int[] positions = context.batch().positions();
        float[] factors = new float[positions.length];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = scale.get().at(positions[i]);
        }
        Tape tape = context.tape();
        INDArray values = tape.allocateFloat(factors.length);
        Arrays.write(values, 0, factors, 0, factors.length);
        return ScaleOps.rows(tape, queries, tape.record(values, (out, dy) -> {
        }, List.of()));
    }
}
