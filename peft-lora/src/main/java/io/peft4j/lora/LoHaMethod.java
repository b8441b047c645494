package io.peft4j.lora;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftMethod;
import java.util.Map;

/** LoHa; {@link LoHaConfig} says what it computes. */
public final class LoHaMethod implements PeftMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public LoHaMethod() {
    }

    @Override
    public String peftType() {
        return LoHaConfig.PEFT_TYPE;
    }

    @Override
    public String name() {
        return "loha";
    }

    @Override
    public String description() {
        return "the elementwise product of two low-rank matrices beside the frozen weight of each target";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2108.06098";
    }

    @Override
    public Map<String, String> optionKeys() {
        return Map.of("rank", "r", "alpha", "alpha", "target-modules", "target_modules");
    }

    @Override
    public LoHaConfig readConfig(ConfigReader reader) {
        return LoHaConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        LoHaConfig config = (LoHaConfig) peftConfig;
        return Adapter.of(config.toBuilder().modules(Targets.resolved(setup, config.modules())).build(),
                Targets.ranked(setup, config.modules(), config.rankPattern(), config.alphaPattern(), config.rank(),
                        config.alpha(), (slot, rank, alpha) -> new LoHaLayer(setup, slot, config, rank, alpha)));
    }
}
