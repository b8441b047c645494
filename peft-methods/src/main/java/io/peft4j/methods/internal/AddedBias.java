package io.peft4j.methods.internal;

import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import java.util.List;
import java.util.Optional;

/** A trained bias for a linear layer that has none: {@code y = base(x) + b}: y [N, out], b [out], which begins at 0. */
final class AddedBias extends AbstractAdapterLayer {
    private final AdapterTensor bias;

    AddedBias(AdapterSetup setup, Slot slot) {
        super(slot);
        this.bias = setup.tensor(slot, "bias", Initializer.ZEROS, ((Linear) slot.layer()).outFeatures());
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        return MatrixOps.addBias(context.tape(), base.forward(context, x),
                context.tape().parameter(bias.parameter()));
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(bias);
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.of("the base layer has no bias to merge into");
    }
}
