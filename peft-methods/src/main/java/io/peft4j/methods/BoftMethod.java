package io.peft4j.methods;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfiguredMethod;

/** BOFT; {@link BoftConfig} says what it computes. */
public final class BoftMethod extends ConfiguredMethod<BoftConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public BoftMethod() {
        super(BoftConfig.class, "boft", "a butterfly of rotations of the input of each target, and an output scale",
                "https://arxiv.org/abs/2311.06243");
    }

    @Override
    protected Adapter adapter(BoftConfig config, AdapterSetup setup) {
        return config.placement().on(setup).adapter(config, slot -> new BoftLayer(setup, slot, config));
    }
}
