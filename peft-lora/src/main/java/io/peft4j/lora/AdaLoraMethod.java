package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.peft.method.TrainedTokens;
import java.util.List;

/** AdaLoRA; {@link AdaLoraConfig} says what it computes. */
@Internal
public final class AdaLoraMethod extends ConfiguredMethod<AdaLoraConfig> {
    @Override
    protected Adapter adapter(AdaLoraConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        List<AdapterLayer> layers = targets.layers(slot -> AdaLoraAdapter.layer(setup, slot, config));
        layers.addAll(TrainedTokens.beside(setup, config.lora().trainableTokens(), layers, false));
        return new AdaLoraAdapter(targets.named(config), layers);
    }
}
