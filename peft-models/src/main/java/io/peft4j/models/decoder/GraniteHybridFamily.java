package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.ScanShape;
import io.peft4j.models.architecture.GgufDifference;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufGroups;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Granite 4: Mamba 2 and attention, usually without positions; experts, or none, beside a network for all tokens. */
public final class GraniteHybridFamily extends DecoderFamily {
    private static final String SHARED = "shared_mlp";
    private static final String MAMBA = "linear_attention";
    private static final String POSITIONS = "position_embedding_type";
    /** llama.cpp's switch of rotary positions. */
    private static final String ROTATES = "rope.scaling.finetuned";
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

    /** llama.cpp has gate and up apart, and no bounds of time steps. */
    @Override
    public Optional<GgufForm> gguf() {
        String name = "granitehybrid.";
        return Optional.of(LayerTypes.ggufForm(GraniteFamily.ggufForm("granitehybrid"), MAMBA, this::plan)
                .key("expert_count", "num_local_experts", GgufKey.Kind.COUNT_OR_NONE, "8")
                .key("expert_used_count", "num_experts_per_tok", GgufKey.Kind.COUNT_OR_NONE, "2")
                .key("expert_shared_feed_forward_length", "shared_intermediate_size", GgufKey.Kind.COUNT, "1024")
                .key("ssm.conv_kernel", "mamba_d_conv", GgufKey.Kind.COUNT, "4")
                .key("ssm.state_size", "mamba_d_state", GgufKey.Kind.COUNT, "256")
                .key("ssm.group_count", "mamba_n_groups", GgufKey.Kind.COUNT, "1")
                .key("ssm.time_step_rank", "mamba_n_heads", GgufKey.Kind.COUNT, "128")
                .fixed("mamba_proj_bias", false).fixed("mamba_conv_bias", true).fixed("hidden_act", "silu")
                .tensor("mamba.in_proj", "ssm_in").tensor("mamba.conv1d", "ssm_conv1d").tensor("mamba.D", "ssm_d")
                .tensor("mamba.dt_bias", "ssm_dt.bias").tensor("mamba.A_log", "ssm_a").tensor("mamba.norm", "ssm_norm")
                .tensor("mamba.out_proj", "ssm_out").differing(GgufDifference.ONE_CHANNEL, "mamba.conv1d")
                .differing(GgufDifference.NEGATIVE_EXPONENTIAL, "mamba.A_log")
                .filled(GraniteHybridFamily::fill).completed(GraniteHybridFamily::withSizes)
                .writing(GraniteHybridFamily::requireUnboundSteps)
                .adding((writer, config) -> writer.bool(name + ROTATES, hasPositions(config))
                        .uint32(name + "ssm.inner_size", mamba(config).shape().valueColumns()))
                .reading((file, config) -> {
                    config.put("mamba_expand", file.metadata().integer(name + "ssm.inner_size")
                            / config.get("hidden_size").longValue());
                    config.put(POSITIONS, !file.metadata().has(name + ROTATES) || file.metadata().bool(name + ROTATES)
                            ? "rope" : "nope");
                }));
    }

    /** Without experts the network for all tokens is the feed-forward network. */
    private static void fill(ObjectNode config) {
        if (config.path("num_local_experts").asInt(8) == 0) {
            config.put("num_experts_per_tok", 0).put("intermediate_size",
                    config.path("shared_intermediate_size").asInt(1024));
        }
    }

    private static GgufForm withSizes(GgufForm form, ModelConfig config) {
        ScanShape shape = mamba(config).shape();
        String end = config.optionalInteger("num_local_experts").orElse(8) == 0 ? "" : "_shexp";
        return form.grouped(GgufDifference.IN_ROWS, rows(shape.valueHeads()), "mamba.A_log", "mamba.D")
                .grouped(GgufDifference.IN_ROWS, rows(shape.keyHeads()), "mamba.norm")
                .halved(SHARED + ".input_linear", "ffn_gate" + end, "ffn_up" + end)
                .tensor(SHARED + ".output_linear", "ffn_down" + end)
                .tensor("block_sparse_moe.router.layer", "ffn_gate_inp")
                .tensor("block_sparse_moe.experts.#.gate_proj", "ffn_gate_exps")
                .tensor("block_sparse_moe.experts.#.up_proj", "ffn_up_exps")
                .tensor("block_sparse_moe.experts.#.down_proj", "ffn_down_exps");
    }

    private static GgufGroups rows(int count) {
        return new GgufGroups(0, count, 1, 1);
    }

    private static void requireUnboundSteps(ModelConfig config) {
        Mamba2Plan plan = mamba(config);
        if (plan.leastStep() > 0 || plan.mostStep() < Double.POSITIVE_INFINITY) {
            throw new ConfigurationException("llama.cpp has no bounds of Mamba's time steps, but time_step_limit is ["
                    + plan.leastStep() + ", " + plan.mostStep() + "]");
        }
    }

    @Override
    public List<ModelTensor> ggufTensors(ModelConfig config, ModelTensor tensor) {
        if (!tensor.name().endsWith(SHARED + ".input_linear.weight")) {
            return super.ggufTensors(config, tensor);
        }
        int half = Math.toIntExact(tensor.shape()[0] / 2);
        String path = tensor.name().substring(0, tensor.name().lastIndexOf('.'));
        return IntStream.range(0, 2).mapToObj(i -> new ModelTensor(path + "." + i + ".weight",
                new long[] {half, tensor.columns()},
                (row, target) -> tensor.rows().readRow(i * half + row, target))).toList();
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
        int chosen = config.optionalInteger("num_experts_per_tok").orElse(2);
        double residual = config.number("residual_multiplier", 1);
        List<LayerPlan> layers = LayerTypes.layers(config, i -> MAMBA, type -> {
            MixerPlan mixer = switch (type) {
                case MAMBA, "mamba" -> mamba;
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
        return hasPositions(config) ? rotated : rotated.withPositions(AttentionPlan.Positions.NONE);
    }

    private static boolean hasPositions(ModelConfig config) {
        String kind = config.text(POSITIONS).orElse("nope");
        return switch (kind) {
            case "rope" -> true;
            case "nope" -> false;
            default -> throw config.unsupported(POSITIONS, kind, "rope, nope");
        };
    }

    private static Mamba2Plan mamba(ModelConfig config) {
        return mamba(config, config.optionalPositive("mamba_expand").orElse(2) * config.positive("hidden_size"));
    }

    /**
     * Mamba 2 with a norm behind its gate.
     *
     * @param inner columns of its values
     */
    static Mamba2Plan mamba(ModelConfig config, int inner) {
        int heads = config.optionalPositive("mamba_n_heads").orElse(128);
        int groups = config.optionalPositive("mamba_n_groups").orElse(1);
        int size = config.values().path("mamba_d_head").isTextual() ? config.text("mamba_d_head")
                .filter("auto"::equals).map(auto -> inner / heads).orElse(0)
                : config.optionalPositive("mamba_d_head").orElse(inner / heads);
        if (heads * size != inner || heads % groups != 0) {
            throw new FileFormatException(config.file(), "mamba_n_heads " + heads + " times mamba_d_head " + size
                    + " must be its inner size, " + inner + ", and the heads a multiple of mamba_n_groups " + groups);
        }
        List<Double> steps = config.limits("time_step_limit").orElse(List.of(0.0, Double.POSITIVE_INFINITY));
        if (steps.size() != 2) {
            throw config.unsupported("time_step_limit", steps, "two numbers");
        }
        config.optionalPositive("mamba_chunk_size");
        boolean bias = config.flag("mamba_proj_bias", false);
        return new Mamba2Plan("mamba", new ScanShape(groups, heads,
                config.optionalPositive("mamba_d_state").orElse(256), size),
                config.optionalPositive("mamba_d_conv").orElse(4), activation(config),
                bias, bias, config.flag("mamba_conv_bias", true), steps.get(0), steps.get(1),
                Mamba2Plan.Norm.BEHIND_GATE, List.of());
    }
}
