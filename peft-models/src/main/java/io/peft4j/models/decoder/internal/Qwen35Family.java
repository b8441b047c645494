package io.peft4j.models.decoder.internal;

import io.peft4j.core.kernel.ScanShape;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Qwen 3.5: linear attention by the gated delta rule, in every fourth layer attention with a gate. */
public class Qwen35Family extends DecoderFamily {
    private static final String FULL = "full_attention";
    private static final String LINEAR = "linear_attention";
    /** Checkpoints of models of text and images have the decoder one level below. */
    private static final DecoderPlan.Names NAMES = new DecoderPlan.Names("model.embed_tokens", Optional.empty(),
            "model.layers", "model.norm", "lm_head", Map.of("model.", "model.language_model."));

    /** For the {@link java.util.ServiceLoader}. */
    public Qwen35Family() {
        this("qwen3_5_text");
    }

    Qwen35Family(String modelType) {
        super(modelType);
    }

    @Override
    public List<String> layerNames() {
        List<String> names = new ArrayList<>(List.of("in_proj_qkv", "in_proj_z", "in_proj_b", "in_proj_a",
                "out_proj"));
        names.addAll(super.layerNames());
        return names;
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        return plan(config, LlamaFamily.gated(config, "hidden_act", "silu"));
    }

    /** Qwen 3.5 with another feed-forward network. */
    static DecoderPlan plan(ModelConfig config, FeedForwardPlan feedForward) {
        MixerPlan attention = attention(config);
        MixerPlan linear = new DeltaRulePlan("linear_attn", new ScanShape(
                config.optionalPositive("linear_num_key_heads").orElse(16),
                config.optionalPositive("linear_num_value_heads").orElse(32),
                config.optionalPositive("linear_key_head_dim").orElse(128),
                config.optionalPositive("linear_value_head_dim").orElse(128)),
                config.optionalPositive("linear_conv_kernel_dim").orElse(4));
        int interval = config.optionalPositive("full_attention_interval").orElse(4);
        List<LayerPlan> layers = LayerTypes.layers(config, i -> (i + 1) % interval == 0 ? FULL : LINEAR,
                type -> LayerPlan.of(switch (type) {
                    case FULL -> attention;
                    case LINEAR -> linear;
                    default -> throw LayerTypes.unsupported(config, type, LINEAR + ", " + FULL);
                }, feedForward));
        return DecoderPlan.of(LlamaFamily.sizes(config, false), NormPlan.rms(config.number("rms_norm_eps", 1e-6))
                .withOffset(1), layers).withNames(NAMES);
    }

    private static AttentionPlan attention(ModelConfig config) {
        // Of text all positions of an image's sections are one.
        config.object("rope_parameters").ifPresent(rope -> {
            rope.numbers("mrope_section");
            rope.flag("mrope_interleaved", true);
        });
        boolean bias = config.flag("attention_bias", false);
        return AttentionPlan.of(LlamaFamily.shape(config), RotaryEmbedding.of(config, 10000, 0.25,
                LlamaFamily.headSize(config)))
                .withNames("self_attn", AttentionPlan.Separate.LLAMA.withGate(AttentionPlan.Gate.IN_QUERY), "o_proj")
                .withBiases(bias, bias).withNorms(AttentionPlan.HeadNorms.ofHeads("q_norm", "k_norm"));
    }
}
