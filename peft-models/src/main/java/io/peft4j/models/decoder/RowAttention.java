package io.peft4j.models.decoder;

import io.peft4j.core.autograd.AttentionOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.Optional;

/** Causal attention of some rows of a pass to all of them. */
interface RowAttention extends Layer {
    @Override
    default Variable forward(ForwardContext context, Variable x) {
        return forward(context, x, OutputRows.all(context));
    }

    /**
     * Attention of some rows to all of them.
     *
     * @param context the pass on all rows
     * @param x all rows
     * @param wanted the rows whose result is wanted
     */
    Variable forward(ForwardContext context, Variable x, OutputRows wanted);

    /** Queries or keys with norm and rotary positions, where the plan has them. */
    static Variable positioned(AttentionPlan plan, ForwardContext context, Variable x, Optional<Slot> norm) {
        boolean rotatedFirst = plan.norms().filter(AttentionPlan.HeadNorms::rotated).isPresent();
        Variable read = rotatedFirst ? rotated(plan, context, x) : x;
        Variable normed = plan.clipped(context.tape(), norm.map(slot -> slot.forward(context, read)).orElse(read));
        return rotatedFirst ? normed : rotated(plan, context, normed);
    }

    private static Variable rotated(AttentionPlan plan, ForwardContext context, Variable x) {
        return plan.positions().rotary().map(rotary -> rotary.angles(context.batch())).map(angles -> AttentionOps
                .rotary(context.tape(), x, plan.shape().headSize(), angles.table(), angles.positions())).orElse(x);
    }

    /** What the wanted rows see. Rows of the cache stay where they are: those out of the window are not seen. */
    static AttentionLayout seen(AttentionPlan plan, OutputRows wanted, int length) {
        AttentionLayout layout = wanted.context().batch().layout();
        boolean narrows = plan.window() > 0 && (plan.window() < length || !layout.isCausal());
        return narrows ? layout.windowed(plan.window()) : layout;
    }
}
