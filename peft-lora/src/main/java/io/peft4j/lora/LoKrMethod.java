package io.peft4j.lora;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftMethod;
import java.util.Map;

/** LoKr; {@link LoKrConfig} says what it computes. */
public final class LoKrMethod implements PeftMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public LoKrMethod() {
    }

    @Override
    public String peftType() {
        return LoKrConfig.PEFT_TYPE;
    }

    @Override
    public String name() {
        return "lokr";
    }

    @Override
    public String description() {
        return "a Kronecker product of small matrices beside the frozen weight of each target";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2309.14859";
    }

    @Override
    public Map<String, String> optionKeys() {
        return Map.of("rank", "r", "alpha", "alpha", "target-modules", "target_modules");
    }

    @Override
    public LoKrConfig readConfig(ConfigReader reader) {
        return LoKrConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        LoKrConfig config = (LoKrConfig) peftConfig;
        return Adapter.of(config.toBuilder().modules(Targets.resolved(setup, config.modules())).build(),
                Targets.ranked(setup, config.modules(), config.rankPattern(), config.alphaPattern(), config.rank(),
                        config.alpha(), (slot, rank, alpha) -> new LoKrLayer(setup, slot, config, rank, alpha)));
    }
}
