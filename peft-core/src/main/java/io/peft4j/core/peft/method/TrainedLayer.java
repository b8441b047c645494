package io.peft4j.core.peft.method;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A layer whose weight, and bias where it has one, are trained as a whole; they begin as copies of the base's. */
final class TrainedLayer extends ReplacementLayer {
    private final WeightedLayer base;
    private final AdapterTensor weight;
    private final Optional<AdapterTensor> bias;
    private final List<AdapterTensor> own;

    TrainedLayer(AdapterSetup setup, Slot slot, String prefix) {
        super(slot);
        this.base = (WeightedLayer) slot.layer();
        this.weight = weight(setup, slot, prefix + "weight");
        this.bias = base.bias().map(b -> setup.tensor(slot, prefix + "bias", Initializer.copyOf(b), b.length()));
        this.own = Stream.concat(Stream.of(weight), bias.stream()).toList();
    }

    /**
     * A layer whose weight is another layer's tensor.
     *
     * @param own what the file holds for this layer
     */
    TrainedLayer(Slot slot, AdapterTensor weight, List<AdapterTensor> own) {
        super(slot);
        this.base = (WeightedLayer) slot.layer();
        this.weight = weight;
        this.bias = Optional.empty();
        this.own = own;
    }

    private AdapterTensor weight(AdapterSetup setup, Slot slot, String name) {
        long[] shape = base.weightShape();
        return base.isStoredTransposed() ? setup.transposedTensor(slot, name, Initializer.copyOf(base), shape[1],
                shape[0]) : setup.tensor(slot, name, Initializer.copyOf(base), shape);
    }

    /** The trained weight. */
    AdapterTensor weight() {
        return weight;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer replaced) {
        return base.forward(context, x, context.tape().parameter(weight.parameter()),
                bias.map(trained -> context.tape().parameter(trained.parameter())));
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
