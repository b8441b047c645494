package io.peft4j.lora;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.Initializer;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftMethod;
import java.util.List;
import java.util.Map;

/** VB-LoRA; {@link VbLoraConfig} says what it computes. */
public final class VbLoraMethod implements PeftMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public VbLoraMethod() {
    }

    @Override
    public String peftType() {
        return VbLoraConfig.PEFT_TYPE;
    }

    @Override
    public String name() {
        return "vblora";
    }

    @Override
    public String description() {
        return "low-rank matrices put together from a bank of vectors shared by all targets";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2405.15179";
    }

    @Override
    public Map<String, String> optionKeys() {
        return Map.of("rank", "r", "dropout", "vblora_dropout", "target-modules", "target_modules");
    }

    /** Its default length of vectors divides the sizes of few models. */
    @Override
    public Map<String, String> exampleSettings() {
        return Map.of("vector_length", "64");
    }

    @Override
    public VbLoraConfig readConfig(ConfigReader reader) {
        return VbLoraConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        VbLoraConfig config = (VbLoraConfig) peftConfig;
        AdapterTensor bank = setup.sharedTensor("base_model.vblora_vector_bank",
                Initializer.uniform(config.bankBound()), config.vectors(), config.vectorLength());
        return new SharedMatrices(List.of(bank)).adapter(
                config.toBuilder().modules(Targets.resolved(setup, config.modules())).build(),
                Targets.layers(setup, config.modules(), config.bias(),
                        slot -> new VbLoraLayer(setup, slot, config, bank)));
    }
}
