package io.peft4j.models.decoder;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import java.util.Optional;

/**
 * Attention to the keys and values of an earlier layer, as {@link AttentionPlan.OfEarlier} says: x and result [N, H];
 * only queries [N, heads x D] are its own.
 *
 * @param layer number of the layer
 * @param source number of the layer whose keys and values it reads
 */
record SharedKeyValueAttention(int layer, AttentionPlan plan, int source, Slot query, Slot queryNorm, Slot output)
        implements
            RowAttention {
    @Override
    public Variable forward(ForwardContext context, Variable x, OutputRows wanted) {
        SharedKeys earlier = SharedKeys.in(context, source).orElseThrow(() -> new IllegalStateException("layer "
                + layer + " needs keys and values of layer " + source + ", which this pass has not computed"));
        Variable queries = RowAttention.positioned(plan, wanted.context(), query.forward(wanted.context(), wanted
                .of(x)), Optional.of(queryNorm));
        int length = context.batch().maxPosition() + 1;
        return output.forward(wanted.context(), context.attend(new AttentionInputs(layer, plan.shape(), RowAttention
                .seen(plan, wanted, length), queries, earlier.keys(), earlier.values())));
    }
}
