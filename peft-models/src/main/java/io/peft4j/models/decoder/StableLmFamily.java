package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** StableLM (<a href="https://arxiv.org/abs/2402.17834">2402.17834</a>): Llama with layer norms, a part of each head rotated, and,
 * where it is switched on, attention and feed-forward network in parallel, and a norm of each head's queries and
 * keys. */
public final class StableLmFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public StableLmFamily() {
        super("stablelm");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional
                .of(GgufForm.decoder("stablelm").fixed("qk_layernorm", false).rotaryShare("partial_rotary_factor", 0.25)
                        .withoutKey("attention.layer_norm_rms_epsilon").separateOutput()
                        .key("attention.layer_norm_epsilon", "layer_norm_eps", GgufKey.Kind.NUMBER, "1e-5")
                        .key("use_parallel_residual", "use_parallel_residual", GgufKey.Kind.FLAG, "false")
                        .reading((file, config) -> config.set("use_qkv_bias", config.get("attention_bias"))));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        RotaryEmbedding rotary = RotaryEmbedding.of(config, 10000, 0.25, LlamaFamily.headSize(config));
        AttentionPlan plain = AttentionPlan.of(LlamaFamily.shape(config), rotary)
                .withBiases(config.flag("use_qkv_bias", false), false);
        AttentionPlan attention = !config.flag("qk_layernorm", false) ? plain : plain.withNorms(
                new AttentionPlan.HeadNorms("q_layernorm", "k_layernorm", AttentionPlan.HeadNorms.Extent.OWN, false,
                        0));
        boolean parallel = config.flag("use_parallel_residual", false);
        return LlamaFamily.plan(config, attention, LlamaFamily.gated(config, "hidden_act", "silu"))
                .withNorm(NormPlan.layer(config.number("layer_norm_eps", 1e-5)))
                .mapLayers((i, layer) -> !parallel ? layer
                        : layer.withParallel(true).withNorms(LayerPlan.Norms.shared("input_layernorm")));
    }
}
