package io.peft4j.models.decoder;

import io.peft4j.models.architecture.ModelConfig;

/** Gemma 2 (<a href="https://arxiv.org/abs/2408.00118">2408.00118</a>): Gemma with norms around attention and feed-forward
 * network, soft caps, and a window in every other layer. */
public final class Gemma2Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Gemma2Family() {
        super("gemma2");
    }

    /** Norms around both parts of a layer. */
    static final LayerPlan.Norms AROUND = LayerPlan.Norms.around("input_layernorm", "post_attention_layernorm",
            "pre_feedforward_layernorm", "post_feedforward_layernorm");

    @Override
    DecoderPlan plan(ModelConfig config) {
        AttentionPlan attention = GemmaFamily.attention(config)
                .withScale(1 / Math.sqrt(config.number("query_pre_attn_scalar", 256)))
                .withSoftCap(config.number("attn_logit_softcapping", 0));
        DecoderPlan plan = GemmaFamily.plan(config, attention,
                LlamaFamily.activation(config, "hidden_activation", "gelu_pytorch_tanh"));
        return Windows.of(config, layer -> layer % 2 == 0).on(plan.mapLayers((i, layer) -> layer.withNorms(AROUND)));
    }
}
