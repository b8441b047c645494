package io.peft4j.methods;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.Checks;
import io.peft4j.core.peft.ConfiguredMethod;
import io.peft4j.core.peft.Targets;

/** OFT; {@link OftConfig} says what it computes. */
public final class OftMethod extends ConfiguredMethod<OftConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public OftMethod() {
        super(OftConfig.class, "oft", "a block-diagonal rotation of the input of each target",
                "https://arxiv.org/abs/2306.07280");
    }

    @Override
    protected Adapter adapter(OftConfig config, AdapterSetup setup) {
        Checks.require(config.moduleDropout() == 0 || setup.isRestoring(), "module_dropout is " + config.moduleDropout()
                + ", which has no effect in Hugging Face PEFT 0.21 either; leave it at 0");
        return Targets.of(config.placement(), setup).adapter(config, slot -> new OftLayer(setup, slot, config));
    }
}
