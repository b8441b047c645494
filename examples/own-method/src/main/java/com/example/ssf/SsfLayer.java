package com.example.ssf;

import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import java.util.List;
import java.util.Optional;

/** {@code y = base(x) * scale + shift}: scale and shift [out]. */
final class SsfLayer extends AbstractAdapterLayer {
    private final AdapterTensor scale;
    private final Optional<AdapterTensor> shift;

    SsfLayer(AdapterSetup setup, Slot slot, SsfConfig config) {
        super(slot);
        int out = linear().outFeatures();
        scale = setup.tensor(slot, "ssf_scale", Initializer.ONES, out);
        shift = config.shift() ? Optional.of(setup.tensor(slot, "ssf_shift", Initializer.ZEROS, out))
                : Optional.empty();
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Variable y = ScaleOps.columns(context.tape(), base.forward(context, x),
                context.tape().parameter(scale.parameter()));
        return shift.isPresent()
                ? MatrixOps.addBias(context.tape(), y, context.tape().parameter(shift.get().parameter())) : y;
    }

    @Override
    public List<AdapterTensor> tensors() {
        return shift.isPresent() ? List.of(scale, shift.get()) : List.of(scale);
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.of("most layers have no bias that the shift could go into");
    }
}
