package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** Nemotron and Minitron (<a href="https://arxiv.org/abs/2402.16819">2402.16819</a>): layer norms whose weights are around 0,
 * half of each head rotated, and a plain feed-forward network with a squared ReLU. */
public final class NemotronFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public NemotronFamily() {
        super("nemotron");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj", "lm_head");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.decoder("nemotron").rotaryShare("partial_rotary_factor", 0.5).separateOutput()
                .withoutKey("attention.layer_norm_rms_epsilon")
                .key("attention.layer_norm_epsilon", "norm_eps", GgufKey.Kind.NUMBER, "1e-5")
                .fixed("hidden_act", "relu2").without("blk.*.ffn_gate")
                .shifted("input_layernorm", "post_attention_layernorm", "model.norm")
                .reading((file, config) -> config.put("mlp_bias", file.names().contains("blk.0.ffn_up.bias"))));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        RotaryEmbedding rotary = RotaryEmbedding.of(config, 10000, 0.5, LlamaFamily.headSize(config));
        FeedForwardPlan feedForward = new FeedForwardPlan.Plain("up_proj", "down_proj",
                config.positive("intermediate_size"), LlamaFamily.activation(config, "hidden_act", "relu2"),
                config.flag("mlp_bias", false));
        return LlamaFamily.plan(config, AttentionPlan.of(LlamaFamily.shape(config), rotary).withBiases(bias, bias),
                feedForward).withNorm(NormPlan.layer(config.number("norm_eps", 1e-5)).withOffset(1));
    }
}
