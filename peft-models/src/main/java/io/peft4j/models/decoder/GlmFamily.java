package io.peft4j.models.decoder;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

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
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.decoder("chatglm").rotaryShare("partial_rotary_factor", 0.5)
                .tensor("mlp.gate_up_proj", "ffn_up")
                .writing(config -> {
                    int heads = config.positive("num_attention_heads");
                    if (heads * LlamaFamily.headSize(config) != config.positive("hidden_size")) {
                        throw new ConfigurationException("the model's head_dim is " + LlamaFamily.headSize(config)
                                + ", and llama.cpp computes models of the architecture chatglm with "
                                + "hidden_size / num_attention_heads only");
                    }
                }));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        RotaryEmbedding rotary = RotaryEmbedding.of(config, 10000, 0.5, LlamaFamily.headSize(config));
        AttentionPlan attention = AttentionPlan.of(LlamaFamily.shape(config), rotary.withNeighbours())
                .withBiases(config.flag("attention_bias", true), false);
        return LlamaFamily.plan(config, attention, LlamaFamily.gated(config, "hidden_act", "silu").withFusion());
    }
}
