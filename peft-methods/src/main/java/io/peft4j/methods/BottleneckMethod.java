package io.peft4j.methods;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TrainedCopies;
import java.util.List;
import java.util.Map;

/** Bottleneck adapters; {@link BottleneckConfig} says what they compute. */
public final class BottleneckMethod extends ModuleMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public BottleneckMethod() {
        super(BottleneckConfig.PEFT_TYPE, "bottleneck", "small networks behind attention and feed-forward blocks",
                "https://arxiv.org/abs/1902.00751",
                Map.of("target-modules", "target_modules", "rank", "bottleneck_size"));
    }

    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }

    @Override
    public BottleneckConfig readConfig(ConfigReader reader) {
        return BottleneckConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        BottleneckConfig config = (BottleneckConfig) peftConfig;
        List<String> defaults = config.style() == BottleneckConfig.Style.HOULSBY ? List.of("self_attn", "mlp")
                : List.of("mlp");
        Placement placement = config.placement().resolved(setup, defaults);
        // Blocks, and not the layers in them: what stands behind those may have other features.
        return placement.adapter(config.withPlacement(placement), setup,
                placement.targets(setup, defaults, layer -> !TrainedCopies.canCopy(layer)),
                slot -> new BottleneckLayer(setup, slot, config));
    }
}
