package io.peft4j.models.decoder;

import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** ERNIE 4.5 without experts: Llama with rotated pairs of neighbours, and biases everywhere or nowhere. */
public final class Ernie45Family extends DecoderFamily {
    private static final int HEAD_SIZE = 128;
    private static final double THETA = 500000;

    /** For the {@link java.util.ServiceLoader}. */
    public Ernie45Family() {
        super("ernie4_5");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.decoder("ernie4_5").rotary("rope_theta", THETA)
                .reading((file, config) -> config.set("use_bias", config.get("attention_bias")))
                .filled(config -> config.put("head_dim", config.path("head_dim").asInt(HEAD_SIZE))));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("use_bias", false);
        int size = config.optionalPositive("head_dim").orElse(HEAD_SIZE);
        AttentionShape heads = LlamaFamily.shape(config);
        AttentionPlan attention = AttentionPlan.of(
                new AttentionShape(heads.heads(), heads.keyValueHeads(), size, (float) (1 / Math.sqrt(size))),
                RotaryEmbedding.of(config, THETA, 1, size).withNeighbours()).withBiases(bias, bias);
        return LlamaFamily.plan(config, attention, new FeedForwardPlan.Gated(config.positive("intermediate_size"),
                LlamaFamily.activation(config, "hidden_act", "silu"), bias), true)
                .withNorm(NormPlan.rms(config.number("rms_norm_eps", 1e-5)));
    }
}
