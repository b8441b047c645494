package io.peft4j.core.peft.method;

import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A linear layer whose bias alone is trained: {@code y = x W^T + b}, W frozen, b [O] trained. */
final class TrainedBias extends StandIn {
    private final Linear linear;
    private final AdapterTensor bias;

    TrainedBias(AdapterSetup setup, Slot slot, String name) {
        super(slot);
        this.linear = (Linear) slot.layer();
        INDArray start = linear.bias().orElseThrow(() -> new IllegalArgumentException("no bias at " + slot));
        this.bias = setup.tensor(slot, name, Initializer.copyOf(start), linear.outFeatures()).inPlaceOfBase();
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Variable y = MatrixOps.linear(context.tape(), x, linear.weight());
        return MatrixOps.addBias(context.tape(), y, context.tape().parameter(bias.parameter()));
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(bias);
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        copy.setBias(bias.parameter().value());
    }
}
