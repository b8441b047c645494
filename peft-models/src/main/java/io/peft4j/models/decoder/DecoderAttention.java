package io.peft4j.models.decoder;

import io.peft4j.core.autograd.AttentionOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import java.util.Optional;

/**
 * Causal self-attention with grouped-query heads (<a href="https://arxiv.org/abs/2305.13245">2305.13245</a>): x and
 * result [N, H]; queries [N, heads x D], keys and values [N, key/value heads x D]. Queries and keys are normalized and
 * get rotary positions where the plan says so.
 */
final class DecoderAttention implements SelfAttention, LayerCopy.Part {
    private final int layer;
    private final AttentionPlan plan;
    private final Projections projections;
    private final Slot output;
    private final Optional<Slot> queryNorm;
    private final Optional<Slot> keyNorm;

    DecoderAttention(int layer, AttentionPlan plan, Projections projections, Slot output, Optional<Slot> queryNorm,
            Optional<Slot> keyNorm) {
        this.layer = layer;
        this.plan = plan;
        this.projections = projections;
        this.output = output;
        this.queryNorm = queryNorm;
        this.keyNorm = keyNorm;
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new DecoderAttention(copy.index(), plan, projections.copy(copy), copy.of(output), copy.of(queryNorm),
                copy.of(keyNorm));
    }

    @Override
    public int index() {
        return layer;
    }

    @Override
    public AttentionShape shape() {
        return plan.shape();
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return forward(context, x, WantedRows.all(context));
    }

    /**
     * Attention of some rows to all of them.
     *
     * @param context the pass on all rows
     * @param x all rows
     * @param wanted the rows whose result is wanted
     */
    Variable forward(ForwardContext context, Variable x, WantedRows wanted) {
        Projections.Projected projected = projections.project(context, x, wanted);
        Optional<RotaryTable> table = plan.rotary().map(rotary -> rotary.table(context.batch().maxPosition() + 1));
        Variable queries = positioned(wanted.context(), projected.queries(), queryNorm, table);
        Variable keys = positioned(context, projected.keys(), keyNorm, table);
        return output.forward(wanted.context(), context.attend(new AttentionInputs(layer, plan.shape(),
                wanted.context().batch().layout(), queries, keys, projected.values())));
    }

    private Variable positioned(ForwardContext context, Variable x, Optional<Slot> norm, Optional<RotaryTable> table) {
        Variable normed = norm.map(slot -> slot.forward(context, x)).orElse(x);
        return table.map(angles -> AttentionOps.rotary(context.tape(), normed, plan.shape().headSize(), angles,
                context.batch().positions())).orElse(normed);
    }
}
