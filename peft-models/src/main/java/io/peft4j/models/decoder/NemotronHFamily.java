package io.peft4j.models.decoder;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.ScanShape;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Nemotron-H (<a href="https://arxiv.org/abs/2504.03624">2504.03624</a>) without experts: each layer is one of Mamba 2,
 * attention without positions, or a network alone.
 */
public final class NemotronHFamily extends DecoderFamily {
    private static final String MIXER = "mixer";
    private static final String TYPES = "layers_block_type";
    private static final Optional<String> NORM = Optional.of("norm");
    private static final DecoderPlan.Names NAMES = new DecoderPlan.Names("model.embeddings", Optional.empty(),
            "model.layers", "model.norm_f", "lm_head", Map.of("backbone.", "model."));
    /** The kinds of layers by their letters in older configurations. */
    private static final Map<Character, String> LETTERS = Map.of('M', "linear_attention", '*', "full_attention", '-',
            "mlp", 'E', "moe");

    /** What is of experts, of layers that predict several tokens, of weights not yet trained and of other programs. */
    private static final List<String> UNUSED = List.of("chunk_size", "expand", "mamba_ssm_cache_dtype",
            "moe_intermediate_size", "moe_shared_expert_intermediate_size", "moe_shared_expert_overlap",
            "mtp_layers_block_type", "n_group", "n_routed_experts", "n_shared_experts", "norm_topk_prob",
            "num_experts_per_tok", "num_logits_to_keep", "num_nextn_predict_layers", "rescale_prenorm_residual",
            "routed_scaling_factor", "time_step_floor", "time_step_limit", "time_step_max", "topk_group",
            "use_mamba_kernels");

    /** For the {@link java.util.ServiceLoader}. */
    public NemotronHFamily() {
        super("nemotron_h");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embeddings", "in_proj", "out_proj", "q_proj", "k_proj", "v_proj", "o_proj", "up_proj",
                "down_proj", "lm_head");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("q_proj", "k_proj", "v_proj", "o_proj");
    }

    @Override
    String checkpointName(String tensor) {
        return tensor.startsWith("model.") ? "backbone." + tensor.substring(6) : tensor;
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        config.ignore(UNUSED);
        AttentionPlan attention = AttentionPlan.of(LlamaFamily.shape(config), RotaryEmbedding.of(config, 10000, 1,
                LlamaFamily.headSize(config))).withPositions(AttentionPlan.Positions.NONE)
                .withNames(MIXER, AttentionPlan.Separate.LLAMA, "o_proj");
        FeedForwardPlan network = new FeedForwardPlan.Plain("up_proj", "down_proj",
                config.optionalPositive("intermediate_size").orElse(21504), LlamaFamily.activation(config,
                        "mlp_hidden_act", "relu2"),
                config.flag("mlp_bias", false));
        Mamba2Plan mamba = mamba(config);
        List<LayerPlan> layers = types(config).stream().map(type -> switch (type) {
            case "linear_attention", "mamba" -> alone(mamba);
            case "full_attention", "attention" -> alone(attention);
            case "mlp" -> LayerPlan.of(new MixerPlan.None(), network).withFeedForwardName(MIXER)
                    .withNorms(LayerPlan.Norms.beforeFeedForward("norm"));
            default -> throw config.unsupported(TYPES, type, "linear_attention, full_attention, mlp");
        }).toList();
        return DecoderPlan.of(LlamaFamily.sizes(config, false), NormPlan.rms(config.number("layer_norm_epsilon",
                1e-5)), layers).withNames(NAMES);
    }

    private static LayerPlan alone(MixerPlan mixer) {
        return LayerPlan.of(mixer, new FeedForwardPlan.None()).withNorms(new LayerPlan.Norms(NORM, Optional.empty(),
                Optional.empty(), Optional.empty()));
    }

    private static List<String> types(ModelConfig config) {
        Optional<String> pattern = config.text("hybrid_override_pattern");
        List<String> types = new ArrayList<>(config.texts(TYPES).or(() -> config.texts("layer_types"))
                .orElse(List.of()));
        if (types.isEmpty()) {
            pattern.orElseThrow(() -> new FileFormatException(config.file(), TYPES + " is missing")).chars()
                    .forEach(letter -> types.add(LETTERS.getOrDefault((char) letter, Character.toString(letter))));
        }
        return types;
    }

    private static Mamba2Plan mamba(ModelConfig config) {
        int heads = config.optionalPositive("mamba_num_heads").orElse(128);
        int groups = config.optionalPositive("n_groups").orElse(8);
        if (heads % groups != 0) {
            throw new FileFormatException(config.file(), "mamba_num_heads " + heads + " must be a multiple of n_groups "
                    + groups);
        }
        boolean bias = config.flag("use_bias", false);
        return new Mamba2Plan(MIXER, new ScanShape(groups, heads, config.optionalPositive("ssm_state_size").orElse(128),
                config.optionalPositive("mamba_head_dim").orElse(64)),
                config.optionalPositive("conv_kernel").orElse(4), LlamaFamily.activation(config, "mamba_hidden_act",
                        "silu"),
                bias, bias, config.flag("use_conv_bias", true), config.number("time_step_min", 0.001),
                Double.POSITIVE_INFINITY, Mamba2Plan.Norm.BEHIND_GATE, List.of());
    }
}
