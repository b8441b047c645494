package io.peft4j.core.peft.method;

import io.peft4j.core.autograd.NormOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.RmsNorm;
import io.peft4j.core.nn.Slot;
import java.util.List;

/** An RMS norm trained as a whole: {@code y = x / sqrt(mean(x^2) + epsilon) * weight}, weight [H] trained. */
final class TrainedNorm extends StandIn {
    private final float epsilon;
    private final AdapterTensor weight;

    TrainedNorm(AdapterSetup setup, Slot slot, String prefix) {
        super(slot);
        RmsNorm base = (RmsNorm) slot.layer();
        this.epsilon = base.epsilon();
        this.weight = setup.tensor(slot, prefix + "weight", Initializer.copyOf(base.weight()), base.weight().length());
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        return NormOps.rmsNorm(context.tape(), x, context.tape().parameter(weight.parameter()), epsilon);
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(weight);
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        copy.setWeight(weight.parameter().value());
    }
}
