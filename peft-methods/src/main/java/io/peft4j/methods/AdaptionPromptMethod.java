package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** LLaMA-Adapter; {@link AdaptionPromptConfig} says what it computes. */
public final class AdaptionPromptMethod extends ModuleMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public AdaptionPromptMethod() {
        super(AdaptionPromptConfig.PEFT_TYPE, "llama-adapter",
                "prompt vectors that the upper attention layers look at, gated",
                "https://arxiv.org/abs/2303.16199", Map.of());
    }

    @Override
    public AdaptionPromptConfig readConfig(ConfigReader reader) {
        return AdaptionPromptConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        AdaptionPromptConfig asked = (AdaptionPromptConfig) peftConfig;
        List<Slot> all = setup.network().slots().stream().filter(slot -> slot.layer() instanceof SelfAttention)
                .filter(slot -> slot.name().equals(asked.attention().orElse(AdaptionPromptConfig.ATTENTION))).toList();
        if (all.isEmpty()) {
            throw new ConfigurationException("target_modules '" + asked.attention().orElse(
                    AdaptionPromptConfig.ATTENTION) + "' is the name of no attention layer of this model");
        }
        AdaptionPromptConfig config = asked.on(all.size());
        if (config.layers() > all.size()) {
            throw new ConfigurationException("adapter_layers is " + config.layers() + ", and the model has "
                    + all.size() + " attention layers");
        }
        List<AdapterLayer> layers = new ArrayList<>();
        all.subList(all.size() - config.layers(), all.size())
                .forEach(slot -> layers.add(new AdaptionPromptLayer(setup, slot, config.length())));
        return Adapter.of(setup.isRestoring() ? asked : config, layers);
    }
}
