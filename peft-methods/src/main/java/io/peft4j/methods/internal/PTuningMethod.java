package io.peft4j.methods.internal;

import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.methods.PTuningConfig;
import io.peft4j.methods.VirtualTokens;

/** P-tuning; {@link PTuningConfig} says what it computes. */
public final class PTuningMethod extends ConfiguredMethod<PTuningConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public PTuningMethod() {
        super(PTuningConfig.class, "p-tuning", "virtual tokens before every sequence, computed by a small network",
                "https://arxiv.org/abs/2103.10385");
    }

    @Override
    protected Adapter adapter(PTuningConfig config, AdapterSetup setup) {
        VirtualTokens tokens = TokenSizes.ofPrompt(config.virtualTokens(), setup);
        PTuningConfig resolved = config.toBuilder().virtualTokens(tokens)
                .hiddenSize(config.hiddenSize() == 0 ? tokens.tokenDim() : config.hiddenSize()).build();
        VirtualSource source = VirtualSource.network(setup, () -> new PromptEncoder(setup, resolved).network(),
                tokens.count(), tokens.tokenDim());
        return PromptTuningMethod.prompt(setup.isRestoring() ? config : resolved, setup, tokens, source);
    }
}
