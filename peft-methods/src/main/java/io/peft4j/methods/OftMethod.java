package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Targets;

/** OFT; {@link OftConfig} says what it computes. */
@Internal
public final class OftMethod extends ConfiguredMethod<OftConfig> {
    @Override
    protected Adapter adapter(OftConfig config, AdapterSetup setup) {
        Checks.require(config.moduleDropout() == 0 || setup.isRestoring(), "module_dropout is " + config.moduleDropout()
                + ", which is not supported (it has no effect in Hugging Face PEFT 0.21); set it to 0");
        return Targets.of(config.placement(), setup, setup.base().defaultTargetModules(),
                layer -> layer instanceof Linear || layer instanceof Embedding)
                .adapter(config, slot -> new OftLayer(setup, slot, config));
    }
}
