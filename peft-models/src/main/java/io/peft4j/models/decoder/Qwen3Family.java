package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** Qwen 3 (<a href="https://arxiv.org/abs/2505.09388">2505.09388</a>): Llama with a head size of its own and a norm of each
 * head of queries and keys. */
public final class Qwen3Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Qwen3Family() {
        super("qwen3");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.decoder("qwen3").fixed("use_sliding_window", false)
                .fixed("attention_bias", false));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        return Qwen2Family.windowed(config, LlamaFamily.plan(config, attention(config),
                LlamaFamily.gated(config, "hidden_act", "silu")));
    }

    /** Attention with normalized queries and keys. */
    static AttentionPlan attention(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        return LlamaFamily.attention(config, 10000).withBiases(bias, bias)
                .withNorms(AttentionPlan.HeadNorms.ofHeads("q_norm", "k_norm"));
    }
}
