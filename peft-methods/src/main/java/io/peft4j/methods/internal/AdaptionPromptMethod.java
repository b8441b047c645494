package io.peft4j.methods.internal;

import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.methods.AdaptionPromptConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** LLaMA-Adapter; {@link AdaptionPromptConfig} says what it computes. */
public final class AdaptionPromptMethod extends ConfiguredMethod<AdaptionPromptConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public AdaptionPromptMethod() {
        super(AdaptionPromptConfig.class, "llama-adapter",
                "prompt vectors that the upper attention layers attend to, gated",
                "https://arxiv.org/abs/2303.16199");
    }

    @Override
    protected Adapter adapter(AdaptionPromptConfig config, AdapterSetup setup) {
        String name = config.attention().orElse(AdaptionPromptConfig.ATTENTION);
        List<Slot> all = setup.network().slots().stream().filter(slot -> slot.layer() instanceof SelfAttention)
                .filter(slot -> slot.name().equals(name)).toList();
        Checks.require(!all.isEmpty(), "target_modules '" + name + "' matches no attention layer of this model");
        AdaptionPromptConfig resolved = config.toBuilder().attention(Optional.of(name))
                .layers(config.layers() == 0 ? all.size() : config.layers()).build();
        Checks.require(resolved.layers() <= all.size(), "adapter_layers is " + resolved.layers()
                + ", and the model has " + all.size() + " attention layers");
        List<AdapterLayer> layers = new ArrayList<>();
        all.subList(all.size() - resolved.layers(), all.size())
                .forEach(slot -> layers.add(new AdaptionPromptLayer(setup, slot, config.length())));
        return Adapter.of(setup.isRestoring() ? config : resolved, layers);
    }
}
