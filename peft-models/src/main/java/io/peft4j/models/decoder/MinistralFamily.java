package io.peft4j.models.decoder;

import io.peft4j.models.architecture.ModelConfig;

/** Ministral: Llama with a window in the layers that {@code layer_types} names. */
public final class MinistralFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public MinistralFamily() {
        super("ministral");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        return Windows.of(config, layer -> true).on(LlamaFamily.plan(config, LlamaFamily.attention(config, 10000),
                LlamaFamily.gated(config, "hidden_act", "silu")));
    }
}
