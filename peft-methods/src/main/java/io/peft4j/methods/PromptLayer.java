package io.peft4j.methods;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.MergedLayer;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The input embedding with virtual tokens: the rows of the batch that stand for them get their values, [tokens, H]. */
final class PromptLayer implements AdapterLayer {
    private final Slot slot;
    private final VirtualSource source;
    private final int features;

    PromptLayer(Slot slot, VirtualSource source, int features) {
        this.slot = slot;
        this.source = source;
        this.features = features;
    }

    @Override
    public Slot slot() {
        return slot;
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
        return Optional.of("virtual tokens are part of the input and of no weight");
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        throw new IllegalStateException("virtual tokens are no weight");
    }
}
