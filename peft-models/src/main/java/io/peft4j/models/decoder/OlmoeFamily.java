package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** OLMoE (<a href="https://arxiv.org/abs/2409.02060">2409.02060</a>): Llama with experts, and norms over all queries and all
 * keys. */
public final class OlmoeFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public OlmoeFamily() {
        super("olmoe");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate", "gate_up_proj", "down_proj",
                "lm_head");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(Qwen2MoeFamily.expertsForm("olmoe").fixed("norm_topk_prob", false).fixed("clip_qkv", 0)
                .separateOutput());
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        AttentionPlan attention = LlamaFamily.attention(config, 10000).withBiases(bias, bias)
                .withNorms(AttentionPlan.HeadNorms.ofAll("q_norm", "k_norm").withClip(config.number("clip_qkv", 0)));
        ExpertsPlan.RouterPlan router = new ExpertsPlan.RouterPlan("gate",
                config.optionalPositive("num_experts_per_tok").orElse(8), config.flag("norm_topk_prob", false)
                        ? ExpertsPlan.Weights.OF_CHOSEN : ExpertsPlan.Weights.OF_ALL,
                false);
        ExpertsPlan experts = new ExpertsPlan(config.optionalPositive("num_experts")
                .or(() -> config.optionalPositive("num_local_experts")).orElse(64),
                config.positive("intermediate_size"), router,
                new ExpertsPlan.Gate.Usual(LlamaFamily.activation(config, "hidden_act", "silu")), false,
                Optional.empty(), ExpertsPlan.Stored.ONE_BY_ONE);
        return LlamaFamily.plan(config, attention, experts)
                .withNorm(NormPlan.rms(config.number("rms_norm_eps", 1e-5))).withRouterLoss(config, 0.01);
    }
}
