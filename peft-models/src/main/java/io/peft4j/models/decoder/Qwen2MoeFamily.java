package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** Qwen 2 with experts (<a href="https://arxiv.org/abs/2407.10671">2407.10671</a>), and one beside them that all tokens go
 * through. */
public final class Qwen2MoeFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Qwen2MoeFamily() {
        super("qwen2_moe");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate", "gate_up_proj", "gate_proj",
                "up_proj", "down_proj", "shared_expert_gate", "lm_head");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(withShared(ggufForm("qwen2moe")).separateOutput().fixed("norm_topk_prob", false)
                .reading((file, config) -> config.set("qkv_bias", config.get("attention_bias"))));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        AttentionPlan attention = LlamaFamily.attention(config, 10000)
                .withBiases(config.flag("qkv_bias", true), false);
        FeedForwardPlan.Gated shared = new FeedForwardPlan.Gated(config.positive("shared_expert_intermediate_size"),
                LlamaFamily.activation(config, "hidden_act", "silu"), false);
        DecoderPlan plan = sparse(config, LlamaFamily.plan(config, attention,
                LlamaFamily.gated(config, "hidden_act", "silu")),
                Optional.of(new ExpertsPlan.Shared("shared_expert", shared, Optional.of("shared_expert_gate"))));
        boolean windowed = config.flag("use_sliding_window", false);
        int last = config.optionalInteger("max_window_layers").orElse(28);
        Windows windows = Windows.of(config, layer -> layer % 2 == 0 && layer < last);
        return windowed ? windows.on(plan) : plan;
    }

    /** Also with an expert that all tokens go through. */
    static GgufForm withShared(GgufForm form) {
        return form.key("expert_shared_feed_forward_length", "shared_expert_intermediate_size", GgufKey.Kind.COUNT)
                .key("expert_feed_forward_length", "moe_intermediate_size", GgufKey.Kind.COUNT)
                .tensor("mlp.shared_expert.gate_proj", "ffn_gate_shexp")
                .tensor("mlp.shared_expert.up_proj", "ffn_up_shexp")
                .tensor("mlp.shared_expert.down_proj", "ffn_down_shexp")
                .tensor("mlp.shared_expert_gate", "ffn_gate_inp_shexp").oneRow("mlp.shared_expert_gate");
    }

    /** llama.cpp has experts in all layers. */
    static GgufForm ggufForm(String architecture) {
        return expertsForm(architecture).fixed("use_sliding_window", false).fixed("decoder_sparse_step", 1)
                .fixed("mlp_only_layers", List.of())
                .key("expert_feed_forward_length", "moe_intermediate_size", GgufKey.Kind.COUNT);
    }

    /** Llama's with experts. */
    static GgufForm expertsForm(String architecture) {
        return GgufForm.decoder(architecture)
                .key("expert_count", "num_experts", GgufKey.Kind.COUNT)
                .key("expert_used_count", "num_experts_per_tok", GgufKey.Kind.COUNT)
                .tensor("mlp.gate", "ffn_gate_inp").tensor("mlp.experts.#.gate_proj", "ffn_gate_exps")
                .tensor("mlp.experts.#.up_proj", "ffn_up_exps").tensor("mlp.experts.#.down_proj", "ffn_down_exps")
                .filled(config -> {
                    if (config.hasNonNull("num_local_experts")) {
                        config.set("num_experts", config.get("num_local_experts"));
                    }
                });
    }

    /** With experts in the layers that the configuration names, all by default. */
    static DecoderPlan sparse(ModelConfig config, DecoderPlan plan, Optional<ExpertsPlan.Shared> shared) {
        ExpertsPlan.RouterPlan router = new ExpertsPlan.RouterPlan("gate", config.positive("num_experts_per_tok"),
                config.flag("norm_topk_prob", false) ? ExpertsPlan.Weights.OF_CHOSEN : ExpertsPlan.Weights.OF_ALL,
                false);
        ExpertsPlan experts = new ExpertsPlan(config.optionalPositive("num_experts")
                .orElseGet(() -> config.positive("num_local_experts")),
                config.positive("moe_intermediate_size"), router,
                new ExpertsPlan.Gate.Usual(LlamaFamily.activation(config, "hidden_act", "silu")), false, shared,
                ExpertsPlan.Stored.ONE_BY_ONE);
        int step = config.optionalPositive("decoder_sparse_step").orElse(1);
        List<Double> dense = config.numbers("mlp_only_layers").orElse(List.of());
        return plan.withRouterLoss(config, 0.001)
                .mapLayers((i, layer) -> dense.contains((double) i) || (i + 1) % step != 0
                        ? layer : layer.withFeedForward(experts));
    }
}
