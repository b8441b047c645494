package io.peft4j.lora;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftMethod;
import java.util.Map;

/** A mixture of LoRA experts; {@link LoraMixtureConfig} says what it computes. */
public final class LoraMixtureMethod implements PeftMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public LoraMixtureMethod() {
    }

    @Override
    public String peftType() {
        return LoraMixtureConfig.PEFT_TYPE;
    }

    @Override
    public String name() {
        return "lora-mixture";
    }

    @Override
    public String description() {
        return "several pairs of low-rank matrices beside each target, and a gate that mixes them token by token";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2312.09979";
    }

    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }

    @Override
    public Map<String, String> optionKeys() {
        return Map.of("rank", "r", "alpha", "lora_alpha", "dropout", "lora_dropout", "target-modules",
                "target_modules");
    }

    @Override
    public LoraMixtureConfig readConfig(ConfigReader reader) {
        return LoraMixtureConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        LoraMixtureConfig config = (LoraMixtureConfig) peftConfig;
        LoraConfig lora = config.lora();
        LoraConfig named = lora.toBuilder().targetModules(Targets.resolved(setup, lora.selector()).targets()).build();
        return Adapter.of(new LoraMixtureConfig(named, config.experts()), Targets.layers(setup, lora.selector(),
                Bias.NONE, slot -> new LoraMixtureLayer(setup, slot, config)));
    }
}
