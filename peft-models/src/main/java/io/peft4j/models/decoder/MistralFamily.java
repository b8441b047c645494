package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** Mistral (<a href="https://arxiv.org/abs/2310.06825">2310.06825</a>): Llama with a window in all layers. */
public final class MistralFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public MistralFamily() {
        super("mistral");
    }

    @Override
    public Optional<GgufForm> gguf() {
        // llama.cpp computes them as Llama, without the window: the same up to its length.
        return Optional.of(LlamaFamily.ggufForm("llama").contextUpTo("sliding_window").writtenOnly());
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        return Windows.everywhere(config).on(LlamaFamily.plan(
                config, LlamaFamily.attention(config, 10000), LlamaFamily.gated(config, "hidden_act", "silu")));
    }
}
