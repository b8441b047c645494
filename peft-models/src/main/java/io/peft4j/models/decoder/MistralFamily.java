package io.peft4j.models.decoder;

import io.peft4j.models.architecture.ModelConfig;

/** Mistral (<a href="https://arxiv.org/abs/2310.06825">2310.06825</a>): Llama with a window in all layers. */
public final class MistralFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public MistralFamily() {
        super("mistral");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        return new Windows(config.optionalPositive("sliding_window").orElse(0), layer -> true).on(LlamaFamily.plan(
                config, LlamaFamily.attention(config, 10000), LlamaFamily.gated(config, "hidden_act", "silu")));
    }
}
