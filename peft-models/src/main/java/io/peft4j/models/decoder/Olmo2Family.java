package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** OLMo 2 (<a href="https://arxiv.org/abs/2501.00656">2501.00656</a>): Llama with norms behind attention and feed-forward
 * network instead of in front, and norms over all queries and all keys. */
public final class Olmo2Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Olmo2Family() {
        super("olmo2");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(ggufForm().reads(metadata -> !metadata.has("olmo2.attention.sliding_window")));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        return plan(config, LlamaFamily.attention(config, 10000));
    }

    /** llama.cpp has one name for OLMo 2 and 3. */
    static GgufForm ggufForm() {
        return GgufForm.decoder("olmo2").separateOutput().tensor("post_attention_layernorm", "post_attention_norm")
                .tensor("post_feedforward_layernorm", "post_ffw_norm");
    }

    /** OLMo with another attention. */
    static DecoderPlan plan(ModelConfig config, AttentionPlan attention) {
        boolean bias = config.flag("attention_bias", false);
        AttentionPlan normed = attention.withBiases(bias, bias)
                .withNorms(AttentionPlan.HeadNorms.ofAll("q_norm", "k_norm"));
        return LlamaFamily.plan(config, normed, LlamaFamily.gated(config, "hidden_act", "silu"))
                .mapLayers((i, layer) -> layer.withNorms(
                        LayerPlan.Norms.after("post_attention_layernorm", "post_feedforward_layernorm")));
    }
}
