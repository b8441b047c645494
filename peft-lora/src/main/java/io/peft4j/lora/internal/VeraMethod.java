package io.peft4j.lora.internal;

import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.lora.VeraConfig;
import java.util.List;

/** VeRA; {@link VeraConfig} says what it computes. */
public final class VeraMethod extends ConfiguredMethod<VeraConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public VeraMethod() {
        super(VeraConfig.class, "vera", "two vectors for each target that scale random matrices shared by all",
                "https://arxiv.org/abs/2310.11454");
    }

    @Override
    protected Adapter adapter(VeraConfig config, AdapterSetup setup) {
        SharedMatrices.requireSaved(config.saveProjection(), "VeRA");
        Targets targets = Targets.of(config.placement(), setup);
        SharedMatrices.Sizes sizes = SharedMatrices.Sizes.of(targets.slots());
        AdapterTensor a = setup.sharedTensor("base_model.vera_A", kaiming(sizes.in()), config.rank(), sizes.in());
        AdapterTensor b = setup.sharedTensor("base_model.vera_B", kaiming(config.rank()), sizes.out(), config.rank());
        SharedMatrices matrices = new SharedMatrices(List.of(a.frozen().inPlaceOfBase(), b.frozen().inPlaceOfBase()));
        return matrices.adapter(targets.named(config),
                targets.layers(slot -> new VeraLayer(setup, slot, config, matrices)));
    }

    /** Kaiming's uniform initialization for {@code inputs} inputs: between {@code -sqrt(6 / inputs)} and that. */
    private static Initializer kaiming(long inputs) {
        return Initializer.uniform(Math.sqrt(6.0 / inputs));
    }
}
