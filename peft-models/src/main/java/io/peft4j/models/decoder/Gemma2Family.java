package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** Gemma 2 (<a href="https://arxiv.org/abs/2408.00118">2408.00118</a>): Gemma with norms around attention and feed-forward
 * network, soft caps, and a window in every other layer. */
public final class Gemma2Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Gemma2Family() {
        super("gemma2");
    }

    /** Norms around both parts of a layer. */
    static final LayerPlan.Norms AROUND = LayerPlan.Norms.around("input_layernorm", "post_attention_layernorm",
            "pre_feedforward_layernorm", "post_feedforward_layernorm");

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(ggufForm("gemma2").without("output")
                .key("attn_logit_softcapping", "attn_logit_softcapping", GgufKey.Kind.NUMBER)
                .key("final_logit_softcapping", "final_logit_softcapping", GgufKey.Kind.NUMBER).windows(2));
    }

    /** As Gemma's, with a window and norms around both parts of a layer. */
    static GgufForm ggufForm(String architecture) {
        return GemmaFamily.ggufForm(architecture)
                .key("attention.sliding_window", "sliding_window", GgufKey.Kind.COUNT, "4096")
                .tensor("post_attention_layernorm", "post_attention_norm")
                .tensor("pre_feedforward_layernorm", "ffn_norm").tensor("post_feedforward_layernorm", "post_ffw_norm")
                .reading((file, config) -> config.put("query_pre_attn_scalar", scaled(config)))
                .writing(config -> {
                    double scalar = config.number("query_pre_attn_scalar", 256);
                    if (scalar != scaled(config.values())) {
                        throw new ConfigurationException("query_pre_attn_scalar is " + scalar + ", and llama.cpp "
                                + "computes such a model with " + scaled(config.values()));
                    }
                });
    }

    /** llama.cpp tells the models with 27 billion parameters, which have another scale, by their layers. */
    private static double scaled(JsonNode config) {
        int layers = config.path("num_hidden_layers").asInt();
        return layers == 46 || layers == 62
                ? config.path("hidden_size").asDouble() / config.path("num_attention_heads").asDouble()
                : config.path("head_dim").asDouble();
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        GemmaFamily.requireCausal(config);
        AttentionPlan attention = GemmaFamily.attention(config)
                .withScale(1 / Math.sqrt(config.number("query_pre_attn_scalar", 256)))
                .withSoftCap(config.number("attn_logit_softcapping", 0));
        DecoderPlan plan = GemmaFamily.plan(config, attention,
                LlamaFamily.activation(config, "hidden_activation", "gelu_pytorch_tanh"));
        return Windows.of(config, layer -> layer % 2 == 0).on(plan.mapLayers((i, layer) -> layer.withNorms(AROUND)));
    }
}
