package io.peft4j.lora.internal;

import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.lora.VbLoraConfig;
import java.util.List;
import java.util.Map;

/** VB-LoRA; {@link VbLoraConfig} says what it computes. */
public final class VbLoraMethod extends ConfiguredMethod<VbLoraConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public VbLoraMethod() {
        super(VbLoraConfig.class, "vblora",
                "low-rank matrices put together from a bank of vectors shared by all targets",
                "https://arxiv.org/abs/2405.15179");
    }

    /** Its default length of vectors divides the sizes of few models. */
    @Override
    public Map<String, String> exampleSettings() {
        return Map.of("vector_length", "64");
    }

    @Override
    protected Adapter adapter(VbLoraConfig config, AdapterSetup setup) {
        AdapterTensor bank = setup.sharedTensor("base_model.vblora_vector_bank",
                Initializer.uniform(config.bankBound()), config.vectors(), config.vectorLength());
        Targets targets = Targets.of(config.placement(), setup);
        return new SharedMatrices(List.of(bank)).adapter(targets.named(config),
                targets.layers(slot -> new VbLoraLayer(setup, slot, config, bank)));
    }
}
