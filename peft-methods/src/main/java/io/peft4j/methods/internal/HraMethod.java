package io.peft4j.methods.internal;

import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.methods.HraConfig;

/** HRA; {@link HraConfig} says what it computes. */
public final class HraMethod extends ConfiguredMethod<HraConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public HraMethod() {
        super(HraConfig.class, "hra", "reflections of the input of each target",
                "https://arxiv.org/abs/2405.17484");
    }

    @Override
    protected Adapter adapter(HraConfig config, AdapterSetup setup) {
        return Targets.of(config.placement(), setup).adapter(config, slot -> new HraLayer(setup, slot, config));
    }
}
