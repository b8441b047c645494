package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** Hunyuan without experts: Llama with norms of queries and keys behind the rotation. */
public final class HunYuanFamily extends DecoderFamily {
    private static final String PARAMETERS = "rope_parameters";
    private static final String SCALING = "rope_scaling";
    private static final String BASE = "rope_theta";

    /** For the {@link java.util.ServiceLoader}. */
    public HunYuanFamily() {
        super("hunyuan_v1_dense");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.decoder("hunyuan-dense").tensor("self_attn.query_layernorm", "attn_q_norm")
                .tensor("self_attn.key_layernorm", "attn_k_norm").filled(HunYuanFamily::scaleBase));
    }

    /** llama.cpp's files hold the base with the factor that Hugging Face's configuration has beside it. */
    private static void scaleBase(ObjectNode config) {
        JsonNode rope = config.hasNonNull(PARAMETERS) ? config.get(PARAMETERS) : config.path(SCALING);
        if (rope.hasNonNull("alpha")) {
            double size = config.path("head_dim").asDouble();
            double base = rope.path(BASE).asDouble(config.path(BASE).asDouble(10000))
                    * Math.pow(rope.get("alpha").asDouble(), size / (size - 2));
            config.remove(List.of(PARAMETERS, SCALING));
            config.put(BASE, base);
        }
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        AttentionPlan attention = LlamaFamily.attention(config, 10000).withBiases(bias, bias)
                .withNorms(AttentionPlan.HeadNorms.ofHeads("query_layernorm", "key_layernorm").behindRotation());
        return LlamaFamily.plan(config, attention, LlamaFamily.gated(config, "hidden_act", "silu"))
                .withNorm(NormPlan.rms(config.number("rms_norm_eps", 1e-5)));
    }
}
