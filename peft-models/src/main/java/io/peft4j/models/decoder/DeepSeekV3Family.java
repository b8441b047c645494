package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * DeepSeek V3 and R1 (<a href="https://arxiv.org/abs/2412.19437">2412.19437</a>): latent attention, and experts
 * that are chosen among the best groups, beside one that all tokens go through.
 */
public final class DeepSeekV3Family extends DecoderFamily {
    /** Keeps a sum of weights from being 0. */
    private static final double SMALLEST = 1e-20;

    private static final String KEY_SIZE = "qk_head_dim";
    private static final String KEY_HEADS = "gguf_key_heads";
    private static final String GATING = "gguf_gating";
    /** llama.cpp's number for sigmoids of scores. */
    private static final int SIGMOID = 2;

    /** For the {@link java.util.ServiceLoader}. */
    public DeepSeekV3Family() {
        super("deepseek_v3");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj", "gate",
                "gate_up_proj", "gate_proj", "up_proj", "down_proj", "lm_head");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("kv_b_proj", "o_proj");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.decoder("deepseek2").fixed("rope_interleave", true).fixed("attention_bias", false)
                .key("attention.q_lora_rank", "q_lora_rank", GgufKey.Kind.OPTIONAL_COUNT)
                .key("attention.kv_lora_rank", "kv_lora_rank", GgufKey.Kind.COUNT)
                .key("attention.key_length_mla", KEY_SIZE, GgufKey.Kind.OPTIONAL_COUNT)
                .key("attention.value_length_mla", "v_head_dim", GgufKey.Kind.OPTIONAL_COUNT)
                .key("attention.head_count_kv", KEY_HEADS, GgufKey.Kind.COUNT)
                .key("leading_dense_block_count", "first_k_dense_replace", GgufKey.Kind.COUNT_OR_NONE, "3")
                .key("expert_count", "n_routed_experts", GgufKey.Kind.COUNT)
                .key("expert_used_count", "num_experts_per_tok", GgufKey.Kind.COUNT, "8")
                .key("expert_shared_count", "n_shared_experts", GgufKey.Kind.COUNT, "1")
                .key("expert_feed_forward_length", "moe_intermediate_size", GgufKey.Kind.COUNT)
                .key("expert_group_count", "n_group", GgufKey.Kind.OPTIONAL_COUNT)
                .key("expert_group_used_count", "topk_group", GgufKey.Kind.OPTIONAL_COUNT)
                .key("expert_weights_scale", "routed_scaling_factor", GgufKey.Kind.OPTIONAL_NUMBER)
                .key("expert_weights_norm", "norm_topk_prob", GgufKey.Kind.OPTIONAL_FLAG)
                .key("expert_gating_func", GATING, GgufKey.Kind.COUNT)
                .key("rope.scaling.yarn_log_multiplier", DeepSeekRotary.MULTIPLIER, GgufKey.Kind.OPTIONAL_NUMBER)
                .headSizes(config -> new GgufForm.HeadSizes(
                        config.positive("kv_lora_rank") + config.positive("qk_rope_head_dim"),
                        config.positive("kv_lora_rank"), config.positive("qk_rope_head_dim")))
                .tensor("self_attn.q_a_proj", "attn_q_a").tensor("self_attn.q_a_layernorm", "attn_q_a_norm")
                .tensor("self_attn.q_b_proj", "attn_q_b").tensor("self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa")
                .tensor("self_attn.kv_a_layernorm", "attn_kv_a_norm").tensor("self_attn.kv_b_proj", "attn_kv_b")
                .tensor("self_attn.k_b_proj", "attn_k_b").tensor("self_attn.v_b_proj", "attn_v_b")
                .tensor("mlp.gate", "ffn_gate_inp").tensor("mlp.gate." + Router.CORRECTION, "exp_probs_b.bias")
                .tensor("mlp.experts.#.gate_proj", "ffn_gate_exps").tensor("mlp.experts.#.up_proj", "ffn_up_exps")
                .tensor("mlp.experts.#.down_proj", "ffn_down_exps")
                .tensor("mlp.shared_experts.gate_proj", "ffn_gate_shexp")
                .tensor("mlp.shared_experts.up_proj", "ffn_up_shexp")
                .tensor("mlp.shared_experts.down_proj", "ffn_down_shexp")
                .withoutAdapters("self_attn.q_proj", "self_attn.q_a_proj", "self_attn.q_b_proj",
                        "self_attn.kv_a_proj_with_mqa", "self_attn.kv_b_proj")
                .reads(metadata -> metadata.integer("deepseek2.expert_gating_func", 0) == SIGMOID)
                .filled(DeepSeekV3Family::flatten).reading(DeepSeekV3Family::unflatten));
    }

    private static void flatten(ObjectNode config) {
        putIfMissing(config, "n_group", IntNode.valueOf(8));
        putIfMissing(config, "topk_group", IntNode.valueOf(4));
        putIfMissing(config, "routed_scaling_factor", DoubleNode.valueOf(2.5));
        putIfMissing(config, "norm_topk_prob", BooleanNode.TRUE);
        config.put(KEY_HEADS, 1).put(GATING, SIGMOID).put(KEY_SIZE,
                config.path("qk_nope_head_dim").asInt() + config.path("qk_rope_head_dim").asInt());
        DeepSeekRotary.flatten(config);
    }

    private static void putIfMissing(ObjectNode config, String key, JsonNode value) {
        if (!config.hasNonNull(key)) {
            config.set(key, value);
        }
    }

    private static void unflatten(GgufFile file, ObjectNode config) {
        GgufMetadata metadata = file.metadata();
        long placed = metadata.integer("deepseek2.rope.dimension_count");
        long key = config.has(KEY_SIZE) ? config.path(KEY_SIZE).longValue()
                : metadata.integer("deepseek2.attention.key_length");
        config.put("qk_rope_head_dim", placed).put("qk_nope_head_dim", key - placed);
        if (!config.has("v_head_dim")) {
            config.put("v_head_dim", metadata.integer("deepseek2.attention.value_length"));
        }
        config.remove(List.of(KEY_HEADS, GATING, KEY_SIZE, "head_dim"));
        config.set("num_key_value_heads", config.get("num_attention_heads"));
        // What llama.cpp takes where a file does not say.
        putIfMissing(config, "n_group", IntNode.valueOf(1));
        putIfMissing(config, "topk_group", IntNode.valueOf(1));
        putIfMissing(config, "routed_scaling_factor", DoubleNode.valueOf(1));
        putIfMissing(config, "norm_topk_prob", BooleanNode.FALSE);
        DeepSeekRotary.unflatten(config);
    }

    /** llama.cpp has a matrix for keys and another for values. */
    @Override
    public List<ModelTensor> ggufTensors(ModelConfig config, ModelTensor tensor) {
        if (!tensor.name().endsWith(LatentFiles.BOTH + ".weight") || tensor.isVector()) {
            return super.ggufTensors(config, tensor);
        }
        return new LatentFiles(config.positive("num_attention_heads"), config.positive("qk_nope_head_dim"),
                config.positive("v_head_dim"), config.positive("kv_lora_rank")).split(tensor);
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        // Layers that predict later tokens are not part of the language model, as in Transformers.
        config.optionalInteger("num_nextn_predict_layers");
        config.optionalInteger("num_mtp_layers");
        config.optionalInteger("num_key_value_heads");
        config.optionalInteger("qk_head_dim");
        DecoderPlan plan = LlamaFamily.plan(config, attention(config),
                LlamaFamily.gated(config, "hidden_act", "silu"));
        ExpertsPlan experts = experts(config);
        int dense = config.optionalInteger("first_k_dense_replace").orElse(3);
        return plan.mapLayers((i, layer) -> i < dense ? layer : layer.withFeedForward(experts));
    }

    private static AttentionPlan attention(ModelConfig config) {
        int heads = config.positive("num_attention_heads");
        int plain = config.positive("qk_nope_head_dim");
        int placed = config.positive("qk_rope_head_dim");
        int size = plain + placed;
        ModelConfig rope = config.object("rope_parameters").or(() -> config.object("rope_scaling")).orElse(config);
        double longer = RopeScaling.magnitude(rope.number("factor", 1), rope.number("mscale_all_dim", 0));
        RotaryEmbedding rotary = RotaryEmbedding.of(config, 10000, 1, placed);
        Optional<Integer> queryRank = config.optionalPositive("q_lora_rank");
        boolean bias = config.flag("attention_bias", false);
        return AttentionPlan.of(new AttentionShape(heads, heads, size, (float) (longer * longer / Math.sqrt(size))),
                config.flag("rope_interleave", true) ? rotary.withNeighbours() : rotary).withBiases(bias, bias)
                .withNames("self_attn", new AttentionPlan.Latent(
                        queryRank.map(OptionalInt::of).orElse(OptionalInt.empty()), config.positive("kv_lora_rank"),
                        plain,
                        config.positive("v_head_dim")), "o_proj");
    }

    private static ExpertsPlan experts(ModelConfig config) {
        int width = config.positive("moe_intermediate_size");
        ExpertsPlan.Groups groups = new ExpertsPlan.Groups(config.optionalPositive("n_group").orElse(8),
                config.optionalPositive("topk_group").orElse(4), config.number("routed_scaling_factor", 2.5),
                true, SMALLEST);
        int count = config.optionalPositive("n_routed_experts")
                .orElseGet(() -> config.positive("num_local_experts"));
        if (count % groups.count() != 0 || count / groups.count() < 2 || groups.chosen() > groups.count()) {
            throw config.unsupported("n_group", groups.count(), "a divisor of the " + count + " experts that leaves "
                    + "two and more in a group, and at least topk_group, " + groups.chosen());
        }
        ExpertsPlan.RouterPlan router = new ExpertsPlan.RouterPlan("gate",
                config.optionalPositive("num_experts_per_tok").orElse(8), config.flag("norm_topk_prob", true)
                        ? ExpertsPlan.Weights.SIGMOID_OF_CHOSEN : ExpertsPlan.Weights.SIGMOID,
                false, Optional.of(groups));
        FeedForwardPlan.Gated shared = LlamaFamily.gated(config, "hidden_act", "silu");
        return new ExpertsPlan(count, width, router,
                new ExpertsPlan.Gate.Usual(shared.activation()), false, Optional.of(new ExpertsPlan.Shared(
                        "shared_experts", new FeedForwardPlan.Gated(width * config.optionalPositive("n_shared_experts")
                                .orElse(1), shared.activation(), false),
                        Optional.empty())),
                ExpertsPlan.Stored.ONE_BY_ONE);
    }

    /** DeepSeek's YaRN in llama.cpp's files: a tenth of {@code mscale_all_dim}, and mscale is the same. */
    private static final class DeepSeekRotary {
        static final String MULTIPLIER = "gguf_yarn_log_multiplier";
        private static final double TENTH = 0.1;
        private static final String ALL = "mscale_all_dim";
        private static final String MSCALE = "mscale";

        private DeepSeekRotary() {
        }

        /** Moves mscale to where {@link #MULTIPLIER} is. */
        static void flatten(ObjectNode config) {
            JsonNode parameters = config.path("rope_parameters").isObject() ? config.path("rope_parameters")
                    : config.path("rope_scaling");
            String kind = parameters.path("rope_type").asText(parameters.path("type").asText("default"));
            if (!kind.equals("yarn")) {
                return;
            }
            ObjectNode rope = (ObjectNode) parameters;
            double all = rope.path(ALL).asDouble(0);
            if (all == 0 || rope.path(MSCALE).asDouble(1) != all) {
                throw new ConfigurationException("the rotary scaling yarn has mscale " + rope.path(MSCALE) + " and "
                        + ALL + " " + rope.path(ALL)
                        + ", and llama.cpp computes models of the architecture deepseek2 with "
                        + "the same number for both");
            }
            config.put(MULTIPLIER, TENTH * all);
            rope.remove(java.util.List.of(MSCALE, ALL));
        }

        /** The way back. */
        static void unflatten(ObjectNode config) {
            JsonNode multiplier = config.remove(MULTIPLIER);
            if (config.path("rope_scaling") instanceof ObjectNode rope && multiplier != null) {
                double all = Math.rint(multiplier.doubleValue() / TENTH * 1e6) / 1e6;
                rope.put(MSCALE, all).put(ALL, all);
            }
        }
    }
}
