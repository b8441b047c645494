package io.peft4j.methods.internal;

import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.methods.BottleneckConfig;
import java.util.List;

/** Bottleneck adapters; {@link BottleneckConfig} says what they compute. */
public final class BottleneckMethod extends ConfiguredMethod<BottleneckConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public BottleneckMethod() {
        super(BottleneckConfig.class, "bottleneck", "small networks behind attention and feed-forward blocks",
                "https://arxiv.org/abs/1902.00751");
    }

    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }

    @Override
    protected Adapter adapter(BottleneckConfig config, AdapterSetup setup) {
        List<String> defaults = config.style() == BottleneckConfig.Style.HOULSBY ? List.of("self_attn", "mlp")
                : List.of("mlp");
        // Blocks, and not the layers in them: what stands behind those may have other features.
        return Targets.of(config.placement(), setup, defaults, layer -> !MergedLayer.canCopy(layer))
                .adapter(config, slot -> new BottleneckLayer(setup, slot, config));
    }
}
