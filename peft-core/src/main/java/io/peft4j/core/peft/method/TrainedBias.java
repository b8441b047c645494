package io.peft4j.core.peft.method;

import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A layer whose bias alone is trained: of a linear layer {@code y = x W^T + b}, W frozen, b [O] trained. */
final class TrainedBias extends ReplacementLayer {
    private final WeightedLayer base;
    private final AdapterTensor bias;

    TrainedBias(AdapterSetup setup, Slot slot, String name) {
        super(slot);
        this.base = (WeightedLayer) slot.layer();
        INDArray start = base.bias().orElseThrow(() -> new IllegalArgumentException("no bias at " + slot));
        this.bias = setup.tensor(slot, name, Initializer.copyOf(start), start.length()).inPlaceOfBase();
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer replaced) {
        Tape tape = context.tape();
        Variable trained = tape.parameter(bias.parameter());
        Optional<FrozenWeight> matrix = base.matrix();
        return matrix.isPresent() ? MatrixOps.addBias(tape, MatrixOps.linear(tape, x, matrix.get()), trained)
                : base.forward(context, x, tape.constant(base.vector().orElseThrow()), Optional.of(trained));
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
