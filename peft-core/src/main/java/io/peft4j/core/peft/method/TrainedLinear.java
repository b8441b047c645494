package io.peft4j.core.peft.method;

import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A linear layer trained as a whole: {@code y = x W^T + b}, W [O, I] and b [O] trained. */
final class TrainedLinear extends StandIn {
    private final AdapterTensor weight;
    private final Optional<AdapterTensor> bias;
    private final List<AdapterTensor> own;

    TrainedLinear(AdapterSetup setup, Slot slot, String prefix) {
        super(slot);
        Linear base = (Linear) slot.layer();
        this.weight = setup.tensor(slot, prefix + "weight", Initializer.copyOf(base.weight()), base.outFeatures(),
                base.inFeatures());
        this.bias = base.bias().map(b -> setup.tensor(slot, prefix + "bias", Initializer.copyOf(b),
                base.outFeatures()));
        this.own = Stream.concat(Stream.of(weight), bias.stream()).toList();
    }

    /**
     * A layer whose weight is another layer's tensor.
     *
     * @param own what the file holds for this layer
     */
    TrainedLinear(Slot slot, AdapterTensor weight, List<AdapterTensor> own) {
        super(slot);
        this.weight = weight;
        this.bias = Optional.empty();
        this.own = own;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = MatrixOps.matmulTransposed(tape, x, tape.parameter(weight.parameter()));
        return bias.isPresent() ? MatrixOps.addBias(tape, y, tape.parameter(bias.get().parameter())) : y;
    }

    @Override
    public List<AdapterTensor> tensors() {
        return own;
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        copy.setWeight(weight.parameter().value());
        bias.ifPresent(b -> copy.setBias(b.parameter().value()));
    }
}
