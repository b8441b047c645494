package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** Mixtral (<a href="https://arxiv.org/abs/2401.04088">2401.04088</a>): Mistral with experts. */
public final class MixtralFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public MixtralFamily() {
        super("mixtral");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate", "gate_up_proj", "down_proj",
                "lm_head");
    }

    /** Transformers renames what checkpoints call by older names. */
    @Override
    String checkpointName(String tensor) {
        String expert = "(experts\\.\\d+\\.)";
        return tensor.replace(".mlp.", ".block_sparse_moe.").replaceFirst(expert + "gate_proj", "$1w1")
                .replaceFirst(expert + "down_proj", "$1w2").replaceFirst(expert + "up_proj", "$1w3");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(LlamaFamily.ggufForm("llama").rotary("rope_theta", 1e6).contextUpTo("sliding_window")
                .key("expert_count", "num_local_experts", GgufKey.Kind.COUNT)
                .key("expert_used_count", "num_experts_per_tok", GgufKey.Kind.COUNT, "2")
                .tensor("block_sparse_moe.gate", "ffn_gate_inp")
                .tensor("block_sparse_moe.experts.#.w1", "ffn_gate_exps")
                .tensor("block_sparse_moe.experts.#.w2", "ffn_down_exps")
                .tensor("block_sparse_moe.experts.#.w3", "ffn_up_exps")
                .reads(metadata -> metadata.integer("llama.expert_count", 0) > 0));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        ExpertsPlan.RouterPlan router = new ExpertsPlan.RouterPlan("gate",
                config.optionalPositive("num_experts_per_tok").orElse(2), ExpertsPlan.Weights.OF_CHOSEN, false);
        ExpertsPlan experts = new ExpertsPlan(config.positive("num_local_experts"),
                config.positive("intermediate_size"), router,
                new ExpertsPlan.Gate.Usual(LlamaFamily.activation(config, "hidden_act", "silu")), false,
                Optional.empty(), ExpertsPlan.Stored.ONE_BY_ONE);
        return Windows.everywhere(config).on(
                LlamaFamily.plan(config, LlamaFamily.attention(config, 1e6), experts)).withRouterLoss(config, 0.001);
    }
}
