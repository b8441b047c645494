package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** gpt-oss (<a href="https://arxiv.org/abs/2508.10925">2508.10925</a>): Llama with experts that clamp their gates, attention sinks, and a
 * window in every other layer. */
public final class GptOssFamily extends DecoderFamily {
    /** The base of its rotary frequencies. */
    static final double THETA = 150000;
    private static final double ALPHA = 1.702;

    /** For the {@link java.util.ServiceLoader}. */
    public GptOssFamily() {
        super("gpt_oss");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "router", "gate_up_proj", "down_proj",
                "lm_head");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.decoder("gpt-oss").rotary("rope_theta", 150000).separateOutput().windows(2)
                .fixed("attention_bias", true).fixed("swiglu_limit", 7).fixed("swiglu_alpha", ALPHA)
                .key("attention.sliding_window", "sliding_window", GgufKey.Kind.COUNT, "128")
                .key("expert_count", "num_local_experts", GgufKey.Kind.COUNT)
                .key("expert_used_count", "num_experts_per_tok", GgufKey.Kind.COUNT, "4")
                .key("expert_feed_forward_length", "intermediate_size", GgufKey.Kind.COUNT)
                .tensor("post_attention_layernorm", "post_attention_norm").without("blk.*.ffn_norm")
                .tensor("self_attn.sinks", "attn_sinks.weight").tensor("mlp.router", "ffn_gate_inp")
                .tensor("mlp.experts.#.gate_proj", "ffn_gate_exps").tensor("mlp.experts.#.up_proj", "ffn_up_exps")
                .tensor("mlp.experts.#.down_proj", "ffn_down_exps")
                .reading((file, config) -> {
                    if (config.path("rope_scaling") instanceof ObjectNode rope) {
                        rope.put("truncate", false);
                    }
                }));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        // Experts have a gate of their own; the key is there and has no effect, as in Transformers.
        config.text("hidden_act");
        boolean bias = config.flag("attention_bias", true);
        AttentionPlan attention = LlamaFamily.attention(config, THETA).withBiases(bias, bias).withSinks();
        return Windows.of(config, layer -> layer % 2 == 0)
                .on(LlamaFamily.plan(config, attention, experts(config, ExpertsPlan.Stored.TOGETHER)))
                .withRouterLoss(config, 0.001);
    }

    /** The experts, with a gate of their own. */
    static ExpertsPlan experts(ModelConfig config, ExpertsPlan.Stored stored) {
        ExpertsPlan.RouterPlan router = new ExpertsPlan.RouterPlan("router", config.optionalPositive(
                "num_experts_per_tok").or(() -> config.optionalPositive("experts_per_token")).orElse(4),
                ExpertsPlan.Weights.OF_CHOSEN, true);
        return new ExpertsPlan(config.positive("num_local_experts"),
                config.positive("intermediate_size"), router, new ExpertsPlan.Gate.Clamped(
                        (float) config.number("swiglu_alpha", ALPHA), (float) config.number("swiglu_limit", 7)),
                true,
                Optional.empty(), stored);
    }
}
