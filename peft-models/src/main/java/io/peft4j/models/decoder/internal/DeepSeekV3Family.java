package io.peft4j.models.decoder.internal;

import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * DeepSeek V3 and R1 (<a href="https://arxiv.org/abs/2412.19437">2412.19437</a>): latent attention, and experts
 * that are chosen among the best groups, beside one that all tokens go through.
 */
public final class DeepSeekV3Family extends DecoderFamily {
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
                queryRank.map(OptionalInt::of).orElse(OptionalInt.empty()), config.positive("kv_lora_rank"), plain,
                config.positive("v_head_dim")), "o_proj");
    }

    private static ExpertsPlan experts(ModelConfig config) {
        int width = config.positive("moe_intermediate_size");
        ExpertsPlan.Groups groups = new ExpertsPlan.Groups(config.optionalPositive("n_group").orElse(8),
                config.optionalPositive("topk_group").orElse(4), config.number("routed_scaling_factor", 2.5));
        int count = config.optionalPositive("n_routed_experts")
                .orElseGet(() -> config.positive("num_local_experts"));
        if (count % groups.count() != 0 || count / groups.count() < 2 || groups.chosen() > groups.count()) {
            throw config.unsupported("n_group", groups.count(), "a divisor of the " + count + " experts that leaves "
                    + "two and more in a group, and at least topk_group, " + groups.chosen());
        }
        ExpertsPlan.RouterPlan router = new ExpertsPlan.RouterPlan("gate",
                config.optionalPositive("num_experts_per_tok").orElse(8), config.flag("norm_topk_prob", true)
                ? ExpertsPlan.Weights.SIGMOID_OF_CHOSEN : ExpertsPlan.Weights.SIGMOID, false, Optional.of(groups));
        FeedForwardPlan.Gated shared = LlamaFamily.gated(config, "hidden_act", "silu");
        return new ExpertsPlan(count, width, router,
                new ExpertsPlan.Gate.Usual(shared.activation()), false, Optional.of(new ExpertsPlan.Shared(
                "shared_experts", new FeedForwardPlan.Gated(width * config.optionalPositive("n_shared_experts")
                .orElse(1), shared.activation(), false, false), Optional.empty())), ExpertsPlan.Stored.ONE_BY_ONE);
    }
}
