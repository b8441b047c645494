package io.peft4j.models.decoder.internal;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.ScanShape;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Granite 4: Mamba 2 and attention, usually without positions; experts, or none, beside a network for all tokens. */
public final class GraniteHybridFamily extends DecoderFamily {
    private static final String SHARED = "shared_mlp";
    private static final String EXPERTS = ".block_sparse_moe.";

    /** For the {@link java.util.ServiceLoader}. */
    public GraniteHybridFamily() {
        super("granitemoehybrid");
    }

    @Override
    public List<String> layerNames() {
        List<String> names = new ArrayList<>(List.of("in_proj", "out_proj", "input_linear", "output_linear", "router",
                "gate_up_proj"));
        names.addAll(super.layerNames());
        return names;
    }

    @Override
    String checkpointName(String tensor) {
        return tensor.replace(EXPERTS + "experts.gate_up_proj", EXPERTS + "input_linear.weight")
                .replace(EXPERTS + "experts.down_proj", EXPERTS + "output_linear.weight")
                .replace(EXPERTS + "router.weight", EXPERTS + "router.layer.weight");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        AttentionPlan attention = attention(config);
        MixerPlan mamba = mamba(config);
        FeedForwardPlan.Gated shared = new FeedForwardPlan.Gated(config.optionalPositive("shared_intermediate_size")
                .orElse(1024), activation(config), false).withFusion("input_linear", "output_linear");
        int experts = config.optionalInteger("num_local_experts").orElse(8);
        int width = config.optionalPositive("intermediate_size").orElse(11008);
        int chosen = config.optionalPositive("num_experts_per_tok").orElse(2);
        double residual = config.number("residual_multiplier", 1);
        List<LayerPlan> layers = LayerTypes.layers(config, i -> "linear_attention", type -> {
            MixerPlan mixer = switch (type) {
                case "linear_attention", "mamba" -> mamba;
                case "full_attention", "attention" -> attention;
                default -> throw LayerTypes.unsupported(config, type, "linear_attention, full_attention");
            };
            LayerPlan layer = LayerPlan.of(mixer, shared).withFeedForwardName(SHARED).withResidualScale(residual);
            return experts == 0 ? layer : layer.withFeedForward(new ExpertsPlan(experts, width,
                    new ExpertsPlan.RouterPlan("router", chosen, ExpertsPlan.Weights.OF_CHOSEN, false),
                    new ExpertsPlan.Gate.Usual(shared.activation()), false,
                    Optional.of(new ExpertsPlan.Shared(SHARED, shared, Optional.empty(), true)),
                    ExpertsPlan.Stored.ROWS_TOGETHER))
                    .withFeedForwardName("block_sparse_moe");
        });
        return DecoderPlan.of(LlamaFamily.sizes(config, false), NormPlan.rms(config.number("rms_norm_eps", 1e-6)),
                layers).withScales(
                        new DecoderPlan.Scales(1, (float) config.number("embedding_multiplier", 1),
                                (float) (1 / config.number("logits_scaling", 1)), 0))
                .withRouterLoss(config, 0.001);
    }

    private static Activation activation(ModelConfig config) {
        return LlamaFamily.activation(config, "hidden_act", "silu");
    }

    private static AttentionPlan attention(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        AttentionPlan rotated = LlamaFamily.attention(config, 10000).withBiases(bias, bias)
                .withScale(config.number("attention_multiplier", 1));
        String kind = config.text("position_embedding_type").orElse("nope");
        return switch (kind) {
            case "rope" -> rotated;
            case "nope" -> rotated.withPositions(AttentionPlan.Positions.NONE);
            default -> throw config.unsupported("position_embedding_type", kind, "rope, nope");
        };
    }

    private static Mamba2Plan mamba(ModelConfig config) {
        int inner = config.optionalPositive("mamba_expand").orElse(2) * config.positive("hidden_size");
        int heads = config.optionalPositive("mamba_n_heads").orElse(128);
        int groups = config.optionalPositive("mamba_n_groups").orElse(1);
        int size = config.values().path("mamba_d_head").isTextual() ? config.text("mamba_d_head")
                .filter("auto"::equals).map(auto -> inner / heads).orElse(0)
                : config.optionalPositive("mamba_d_head").orElse(inner / heads);
        if (heads * size != inner || heads % groups != 0) {
            throw new FileFormatException(config.file(), "mamba_n_heads " + heads + " times mamba_d_head " + size
                    + " must be mamba_expand times hidden_size, " + inner + ", and the heads a multiple of "
                    + "mamba_n_groups " + groups);
        }
        List<Double> steps = config.limits("time_step_limit").orElse(List.of(0.0, Double.POSITIVE_INFINITY));
        if (steps.size() != 2) {
            throw config.unsupported("time_step_limit", steps, "two numbers");
        }
        config.optionalPositive("mamba_chunk_size");
        return new Mamba2Plan("mamba", new ScanShape(groups, heads,
                config.optionalPositive("mamba_d_state").orElse(256), size),
                config.optionalPositive("mamba_d_conv").orElse(4), activation(config),
                config.flag("mamba_proj_bias", false), config.flag("mamba_conv_bias", true), steps.get(0),
                steps.get(1));
    }
}
