package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** Qwen 3 with experts (<a href="https://arxiv.org/abs/2505.09388">2505.09388</a>). */
public final class Qwen3MoeFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Qwen3MoeFamily() {
        super("qwen3_moe");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate", "gate_up_proj", "gate_proj",
                "up_proj", "down_proj", "lm_head");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(Qwen2MoeFamily.ggufForm("qwen3moe").fixed("norm_topk_prob", true)
                .fixed("attention_bias", false));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        DecoderPlan plan = Qwen2MoeFamily.sparse(config, LlamaFamily.plan(config, Qwen3Family.attention(config),
                LlamaFamily.gated(config, "hidden_act", "silu")), Optional.empty());
        return config.flag("use_sliding_window", false)
                ? Windows.everywhere(config).on(plan) : plan;
    }
}
