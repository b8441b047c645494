package io.peft4j.lora;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftMethod;
import java.util.List;
import java.util.Map;

/** VeRA; {@link VeraConfig} says what it computes. */
public final class VeraMethod implements PeftMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public VeraMethod() {
    }

    @Override
    public String peftType() {
        return VeraConfig.PEFT_TYPE;
    }

    @Override
    public String name() {
        return "vera";
    }

    @Override
    public String description() {
        return "two vectors for each target that scale random matrices shared by all";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2310.11454";
    }

    @Override
    public Map<String, String> optionKeys() {
        return Map.of("rank", "r", "dropout", "vera_dropout", "target-modules", "target_modules");
    }

    @Override
    public VeraConfig readConfig(ConfigReader reader) {
        return VeraConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        VeraConfig config = (VeraConfig) peftConfig;
        SharedMatrices.requireSaved(config.saveProjection(), "VeRA");
        SharedMatrices.Sizes sizes = SharedMatrices.Sizes.of(Targets.select(setup, config.modules()));
        AdapterTensor a = setup.sharedTensor("base_model.vera_A", Starts.kaiming(sizes.in()), config.rank(),
                sizes.in());
        AdapterTensor b = setup.sharedTensor("base_model.vera_B", Starts.kaiming(config.rank()), sizes.out(),
                config.rank());
        SharedMatrices matrices = new SharedMatrices(List.of(a.frozen().inPlaceOfBase(), b.frozen().inPlaceOfBase()));
        return matrices.adapter(config.toBuilder().modules(Targets.resolved(setup, config.modules())).build(),
                Targets.layers(setup, config.modules(), config.bias(),
                        slot -> new VeraLayer(setup, slot, config, matrices)));
    }
}
