package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import java.util.List;
import java.util.Map;

/** OFT; {@link OftConfig} says what it computes. */
public final class OftMethod extends ModuleMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public OftMethod() {
        super(OftConfig.PEFT_TYPE, "oft", "a block-diagonal rotation of the input of each target",
                "https://arxiv.org/abs/2306.07280", Map.of("target-modules", "target_modules"));
    }

    @Override
    public OftConfig readConfig(ConfigReader reader) {
        return OftConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        OftConfig config = (OftConfig) peftConfig;
        if (config.moduleDropout() != 0 && !setup.isRestoring()) {
            throw new ConfigurationException("module_dropout is " + config.moduleDropout() + ", which has no effect in "
                    + "Hugging Face PEFT 0.21 either; leave it at 0");
        }
        List<String> defaults = setup.base().defaultTargetModules();
        Placement placement = config.placement().resolved(setup, defaults);
        return placement.adapter(config.withPlacement(placement), setup,
                placement.targets(setup, defaults, Placement::isLinear), slot -> new OftLayer(setup, slot, config));
    }
}
