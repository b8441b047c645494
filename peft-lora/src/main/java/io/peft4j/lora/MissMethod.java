package io.peft4j.lora;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftMethod;
import java.util.Map;

/** MiSS; {@link MissConfig} says what it computes. */
public final class MissMethod implements PeftMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public MissMethod() {
    }

    @Override
    public String peftType() {
        return MissConfig.PEFT_TYPE;
    }

    @Override
    public String name() {
        return "miss";
    }

    @Override
    public String description() {
        return "one block for each target that all pieces of its inputs share";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2409.15371";
    }

    @Override
    public Map<String, String> optionKeys() {
        return Map.of("rank", "r", "dropout", "miss_dropout", "target-modules", "target_modules");
    }

    @Override
    public MissConfig readConfig(ConfigReader reader) {
        return MissConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        MissConfig config = (MissConfig) peftConfig;
        return Adapter.of(config.toBuilder().modules(Targets.resolved(setup, config.modules())).build(),
                Targets.layers(setup, config.modules(), config.bias(),
                        slot -> config.initialization() == MissStart.BAT ? new BatLayer(setup, slot, config)
                                : new MissLayer(setup, slot, config)));
    }
}
