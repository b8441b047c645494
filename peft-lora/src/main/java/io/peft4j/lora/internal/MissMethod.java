package io.peft4j.lora.internal;

import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.lora.MissConfig;

/** MiSS; {@link MissConfig} says what it computes. */
public final class MissMethod extends ConfiguredMethod<MissConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public MissMethod() {
        super(MissConfig.class, "miss", "one block for each target that all pieces of its inputs share",
                "https://arxiv.org/abs/2409.15371");
    }

    @Override
    protected Adapter adapter(MissConfig config, AdapterSetup setup) {
        return Targets.of(config.placement(), setup).adapter(config,
                slot -> config.initialization() == MissConfig.Initialization.BAT ? new BatLayer(setup, slot, config)
                        : new MissLayer(setup, slot, config));
    }
}
