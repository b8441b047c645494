package io.peft4j.methods;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import java.util.Map;

/** P-tuning; {@link PTuningConfig} says what it computes. */
public final class PTuningMethod extends ModuleMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public PTuningMethod() {
        super(PTuningConfig.PEFT_TYPE, "p-tuning", "virtual tokens before every sequence, computed by a small network",
                "https://arxiv.org/abs/2103.10385", Map.of("dropout", "encoder_dropout"));
    }

    @Override
    public PTuningConfig readConfig(ConfigReader reader) {
        return PTuningConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        PTuningConfig asked = (PTuningConfig) peftConfig;
        VirtualTokens tokens = asked.virtualTokens().asPrompt(setup);
        PTuningConfig resolved = asked.on(tokens);
        PTuningConfig config = setup.isRestoring() ? asked : resolved;
        VirtualSource source = VirtualSource.network(setup, () -> new PromptEncoder(setup, resolved).network(),
                tokens.count(), tokens.tokenDim());
        return PromptTuningMethod.adapter(config, setup, tokens, source);
    }
}
