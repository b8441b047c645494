package com.example.ssf;

import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Targets;

/** What the file in META-INF/services names. */
public final class SsfMethod extends ConfiguredMethod<SsfConfig> {
    @Override
    protected Adapter adapter(SsfConfig config, AdapterSetup setup) {
        return Targets.of(config.placement(), setup).adapter(config, slot -> new SsfLayer(setup, slot, config));
    }

    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }
}
