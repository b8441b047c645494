package io.peft4j.methods.internal;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The input embedding with virtual tokens: the rows of the batch that stand for them get their values, [tokens, H]. */
final class PromptLayer extends AbstractAdapterLayer {
    private final VirtualSource source;
    private final int features;

    PromptLayer(Slot slot, VirtualSource source, int features) {
        super(slot);
        this.source = source;
        this.features = features;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Variable y = base.forward(context, x);
        int[] virtual = context.batch().virtualTokens();
        return virtual.length == 0 ? y : RowOps.replaceRows(context.tape(), y,
                source.columns(context.tape(), Optional.of(context), 0, features), virtual, Set.of());
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of();
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.of("virtual tokens are part of the input, not of a weight");
    }
}
