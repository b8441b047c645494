package com.example.ssf;

import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Targets;

/** What the file in META-INF/services names. */
public final class SsfMethod extends ConfiguredMethod<SsfConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public SsfMethod() {
        super(SsfConfig.class, "ssf", "scale and shift of each output", "https://arxiv.org/abs/2210.08823");
    }

    @Override
    protected Adapter adapter(SsfConfig config, AdapterSetup setup) {
        return Targets.of(config.placement(), setup).adapter(config, slot -> new SsfLayer(setup, slot, config));
    }

    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }
}
