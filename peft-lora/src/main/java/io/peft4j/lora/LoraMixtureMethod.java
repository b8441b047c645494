package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Targets;

/** A mixture of LoRA experts; {@link LoraMixtureConfig} says what it computes. */
@Internal
public final class LoraMixtureMethod extends ConfiguredMethod<LoraMixtureConfig> {
    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }

    @Override
    protected Adapter adapter(LoraMixtureConfig config, AdapterSetup setup) {
        return Targets.of(config.placement(), setup).adapter(config, slot -> new LoraMixtureLayer(setup, slot, config));
    }
}
