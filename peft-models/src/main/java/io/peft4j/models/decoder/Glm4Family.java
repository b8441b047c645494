package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** GLM-4 (<a href="https://arxiv.org/abs/2406.12793">2406.12793</a>, {@code glm4}): Llama with norms around both parts of a
 * layer, one projection for gate and up, and half of each head rotated in pairs of neighbours. */
public final class Glm4Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Glm4Family() {
        super("glm4");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate_up_proj", "down_proj", "lm_head");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.decoder("glm4").rotaryShare("partial_rotary_factor", 0.5)
                .tensor("post_self_attn_layernorm", "post_attention_norm")
                .tensor("post_attention_layernorm", "ffn_norm").tensor("post_mlp_layernorm", "post_ffw_norm")
                .tensor("mlp.gate_up_proj", "ffn_up"));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        RotaryEmbedding rotary = RotaryEmbedding.of(config, 10000, 0.5, LlamaFamily.headSize(config));
        AttentionPlan attention = AttentionPlan.of(LlamaFamily.shape(config), rotary.withNeighbours())
                .withBiases(config.flag("attention_bias", true), false);
        return LlamaFamily.plan(config, attention, LlamaFamily.gated(config, "hidden_act", "silu").withFusion())
                .mapLayers((i, layer) -> layer.withNorms(LayerPlan.Norms.around("input_layernorm",
                        "post_self_attn_layernorm", "post_attention_layernorm", "post_mlp_layernorm")));
    }
}
