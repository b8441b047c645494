package io.peft4j.methods;

import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** BOFT; {@link BoftConfig} says what it computes. */
public final class BoftMethod extends ModuleMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public BoftMethod() {
        super(BoftConfig.PEFT_TYPE, "boft", "a butterfly of rotations of the input of each target, and an output scale",
                "https://arxiv.org/abs/2311.06243",
                Map.of("target-modules", "target_modules", "dropout", "boft_dropout"));
    }

    @Override
    public BoftConfig readConfig(ConfigReader reader) {
        return BoftConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        BoftConfig config = (BoftConfig) peftConfig;
        List<String> defaults = setup.base().defaultTargetModules();
        Placement placement = config.placement().resolved(setup, defaults);
        Map<Slot, BoftLayer> layers = new HashMap<>();
        Adapter adapter = placement.adapter(config.withPlacement(placement), setup,
                placement.targets(setup, defaults, Placement::isLinear), slot -> {
            BoftLayer layer = new BoftLayer(setup, slot, config);
            layers.put(slot, layer);
            return layer;
        });
        for (AdapterLayer layer : adapter.layers()) {
            if (layer.replacesBase() && layers.containsKey(layer.slot())) {
                AdapterTensor bias = layer.tensors().get(0);
                layers.get(layer.slot()).useBias(bias);
            }
        }
        return adapter;
    }
}
