package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** Phi-3 and Phi-4-mini (<a href="https://arxiv.org/abs/2404.14219">2404.14219</a>): Llama with fused projections, and a part of
 * each head rotated. */
public final class Phi3Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Phi3Family() {
        super("phi3");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "qkv_proj", "o_proj", "gate_up_proj", "down_proj", "lm_head");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("qkv_proj");
    }

    @Override
    public Optional<GgufForm> gguf() {
        // llama.cpp computes them without the window: the same up to its length.
        return Optional.of(GgufForm.decoder("phi3").rotaryShare("partial_rotary_factor", 1)
                .contextUpTo("sliding_window")
                .key("attention.sliding_window", "sliding_window", GgufKey.Kind.OPTIONAL_COUNT)
                .tensor("self_attn.qkv_proj", "attn_qkv").tensor("mlp.gate_up_proj", "ffn_up"));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        AttentionPlan attention = LlamaFamily.attention(config, 10000)
                .withNames("self_attn", new AttentionPlan.Fused("qkv_proj", false), "o_proj");
        DecoderPlan plan = LlamaFamily.plan(config, attention,
                LlamaFamily.gated(config, "hidden_act", "silu").withFusion());
        return Windows.everywhere(config).on(plan);
    }
}
