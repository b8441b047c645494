package io.peft4j.lora;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ModuleSelector;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftMethod;
import io.peft4j.core.peft.TrainedTokens;
import java.util.List;
import java.util.Map;

/** AdaLoRA; {@link AdaLoraConfig} says what it computes. */
public final class AdaLoraMethod implements PeftMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public AdaLoraMethod() {
    }

    @Override
    public String peftType() {
        return AdaLoraConfig.PEFT_TYPE;
    }

    @Override
    public String name() {
        return "adalora";
    }

    @Override
    public String description() {
        return "a decomposition of low rank beside each target, whose ranks go where they matter";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2303.10512";
    }

    @Override
    public Map<String, String> optionKeys() {
        return Map.of("rank", "init_r", "alpha", "lora_alpha", "dropout", "lora_dropout", "target-modules",
                "target_modules");
    }

    @Override
    public AdaLoraConfig readConfig(ConfigReader reader) {
        return AdaLoraConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        AdaLoraConfig config = (AdaLoraConfig) peftConfig;
        LoraConfig lora = config.lora();
        ModuleSelector modules = lora.selector();
        List<AdapterLayer> layers = Targets.layers(setup, modules, lora.bias(),
                slot -> AdaLoraAdapter.layer(setup, slot, config));
        layers.addAll(TrainedTokens.beside(setup, lora.trainableTokens(), layers, false));
        LoraConfig named = lora.toBuilder().targetModules(Targets.resolved(setup, modules).targets()).build();
        return new AdaLoraAdapter(config.toBuilder().lora(named).build(), layers);
    }
}
