package io.peft4j.models.decoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** LFM2 with experts, which are chosen by the sigmoid of their score and a bias that only chooses. */
public final class Lfm2MoeFamily extends DecoderFamily {
    /** Keeps a sum of weights from being 0. */
    private static final double SMALLEST = 1e-6;

    /** For the {@link java.util.ServiceLoader}. */
    public Lfm2MoeFamily() {
        super("lfm2_moe");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "in_proj", "q_proj", "k_proj", "v_proj", "out_proj", "w1", "w2", "w3", "gate",
                "gate_up_proj", "down_proj", "lm_head");
    }

    @Override
    String checkpointName(String tensor) {
        String expert = "(\\.experts\\.\\d+\\.)";
        return tensor.replace(".gate." + Router.CORRECTION, ".expert_bias").replaceFirst(expert + "gate_proj", "$1w1")
                .replaceFirst(expert + "up_proj", "$1w3").replaceFirst(expert + "down_proj", "$1w2");
    }

    /** llama.cpp scales no weights of experts, and its 2 stands for the sigmoid. */
    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(Lfm2Family.ggufForm("lfm2moe", this::plan)
                .key("expert_count", "num_experts", GgufKey.Kind.COUNT)
                .key("expert_used_count", "num_experts_per_tok", GgufKey.Kind.COUNT)
                .key("expert_feed_forward_length", "moe_intermediate_size", GgufKey.Kind.COUNT)
                .key("leading_dense_block_count", "num_dense_layers", GgufKey.Kind.COUNT_OR_NONE, "2")
                .fixed("norm_topk_prob", true).fixed("use_expert_bias", true).fixed("routed_scaling_factor", 1.0)
                .tensor("feed_forward.gate", "ffn_gate_inp").tensor("feed_forward.expert_bias", "exp_probs_b.bias")
                .tensor("feed_forward.experts.#.w1", "ffn_gate_exps")
                .tensor("feed_forward.experts.#.w3", "ffn_up_exps")
                .tensor("feed_forward.experts.#.w2", "ffn_down_exps")
                .adding((writer, config) -> writer.uint32("lfm2moe.expert_gating_func", 2)));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        int dense = config.optionalInteger("num_dense_layers").orElse(2);
        FeedForwardPlan experts = experts(config);
        return Lfm2Family.plan(config, Lfm2Family.gated(config.positive("intermediate_size")))
                .mapLayers((i, layer) -> i < dense ? layer : layer.withFeedForward(experts));
    }

    private static ExpertsPlan experts(ModelConfig config) {
        ExpertsPlan.Groups all = new ExpertsPlan.Groups(1, 1, config.number("routed_scaling_factor", 1),
                config.flag("use_expert_bias", true), SMALLEST);
        ExpertsPlan.RouterPlan router = new ExpertsPlan.RouterPlan("gate", config.positive("num_experts_per_tok"),
                config.flag("norm_topk_prob", true) ? ExpertsPlan.Weights.SIGMOID_OF_CHOSEN
                        : ExpertsPlan.Weights.SIGMOID,
                false, Optional.of(all));
        return new ExpertsPlan(config.positive("num_experts"), config.positive("moe_intermediate_size"), router,
                new ExpertsPlan.Gate.Usual(Activation.SILU), false, Optional.empty(), ExpertsPlan.Stored.ONE_BY_ONE);
    }
}
