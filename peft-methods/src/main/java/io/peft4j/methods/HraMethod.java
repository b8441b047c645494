package io.peft4j.methods;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import java.util.List;
import java.util.Map;

/** HRA; {@link HraConfig} says what it computes. */
public final class HraMethod extends ModuleMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public HraMethod() {
        super(HraConfig.PEFT_TYPE, "hra", "reflections of the input of each target",
                "https://arxiv.org/abs/2405.17484", Map.of("target-modules", "target_modules", "rank", "r"));
    }

    @Override
    public HraConfig readConfig(ConfigReader reader) {
        return HraConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        HraConfig config = (HraConfig) peftConfig;
        List<String> defaults = setup.base().defaultTargetModules();
        Placement placement = config.placement().resolved(setup, defaults);
        return placement.adapter(config.withPlacement(placement), setup,
                placement.targets(setup, defaults, Placement::isLinear), slot -> new HraLayer(setup, slot, config));
    }
}
