package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** Granite 3: Llama with multipliers of embedding, attention, residual connections and logits. */
public final class GraniteFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public GraniteFamily() {
        super("granite");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(ggufForm("granite"));
    }

    /** Llama's with multipliers. */
    static GgufForm ggufForm(String architecture) {
        return LlamaFamily.ggufForm(architecture)
                .key("attention.scale", "attention_multiplier", GgufKey.Kind.NUMBER, "1")
                .key("embedding_scale", "embedding_multiplier", GgufKey.Kind.NUMBER, "1")
                .key("residual_scale", "residual_multiplier", GgufKey.Kind.NUMBER, "1")
                .key("logit_scale", "logits_scaling", GgufKey.Kind.NUMBER, "1");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        return plan(config, false);
    }

    /**
     * Granite with other parts.
     *
     * @param tied whether output layer and embedding are one where the configuration does not say so
     */
    static DecoderPlan plan(ModelConfig config, boolean tied) {
        boolean bias = config.flag("attention_bias", false);
        AttentionPlan attention = LlamaFamily.attention(config, 10000).withBiases(bias, bias)
                .withScale(config.number("attention_multiplier", 1));
        double residual = config.number("residual_multiplier", 1);
        return LlamaFamily.plan(config, attention, LlamaFamily.gated(config, "hidden_act", "silu"), tied)
                .mapLayers((i, layer) -> layer.withResidualScale(residual))
                .withScales(new DecoderPlan.Scales(1, (float) config.number("embedding_multiplier", 1),
                        (float) (1 / config.number("logits_scaling", 1)), 0));
    }
}
