package io.peft4j.models.decoder.internal;

import io.peft4j.models.architecture.ModelConfig;
import java.util.List;

/** GLM ({@code glm}): Llama with gate and up in one projection, and half of a head rotated in pairs of neighbours. */
public final class GlmFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public GlmFamily() {
        super("glm");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate_up_proj", "down_proj", "lm_head");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        RotaryEmbedding rotary = RotaryEmbedding.of(config, 10000, 0.5, LlamaFamily.headSize(config));
        AttentionPlan attention = AttentionPlan.of(LlamaFamily.shape(config), rotary.withNeighbours())
                .withBiases(config.flag("attention_bias", true), false);
        return LlamaFamily.plan(config, attention, LlamaFamily.gated(config, "hidden_act", "silu").withFusion());
    }
}
