package io.peft4j.models.decoder;

import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The decoder with the parts of ModernBERT, such as Ettin's (<a href="https://arxiv.org/abs/2507.11412">2507.11412</a>): layer norms
 * without biases, also of the embedding, a window in two of three layers, and a layer before the output layer. */
public final class ModernBertDecoderFamily extends DecoderFamily {
    private static final String EMBEDDINGS = "model.embeddings.";
    private static final int PERIOD = 3;
    private static final int WINDOW = 128;

    /** For the {@link java.util.ServiceLoader}. */
    public ModernBertDecoderFamily() {
        super("modernbert-decoder");
    }

    @Override
    public List<String> layerNames() {
        return List.of("tok_embeddings", "q_proj", "k_proj", "v_proj", "Wo", "Wi", "dense", "decoder");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        int period = config.optionalPositive("global_attn_every_n_layers").orElse(PERIOD);
        // The sum of both sides in the encoder of the same name, so that half of it is what lies before a token.
        Windows windows = new Windows(config.optionalInteger("local_attention").orElse(WINDOW) / 2,
                Windows.of(config, layer -> layer % period != 0).slides());
        boolean bias = config.flag("attention_bias", false);
        AttentionPlan attention = AttentionPlan.of(LlamaFamily.shape(config),
                rotary(config, "full_attention", "global_rope_theta", 160_000)).withBiases(bias, bias)
                .withNames("attn", AttentionPlan.Separate.LLAMA, "Wo");
        AttentionPlan local = attention.withPositions(AttentionPlan.Positions.rotary(
                rotary(config, "sliding_attention", "local_rope_theta", 10_000)));
        FeedForwardPlan feedForward = LlamaFamily.gated(config, "hidden_activation", "gelu").withFusion("Wi", "Wo");
        return windows.on(LlamaFamily.plan(config, attention, feedForward, true)
                .mapLayers((i, layer) -> layer.withAttention(windows.slides().test(i) ? local : attention)
                        .withNorms(i == 0 ? LayerPlan.Norms.beforeFeedForward("mlp_norm")
                                : LayerPlan.Norms.before("attn_norm", "mlp_norm"))))
                .withNorm(NormPlan.layer(config.number("norm_eps", 1e-5)).withBias(config.flag("norm_bias", false)))
                .withNames(new DecoderPlan.Names(EMBEDDINGS + "tok_embeddings", Optional.empty(), "model.layers",
                        "model.final_norm", "decoder", Map.of("model.", "")))
                .withEnds(new DecoderPlan.Ends(Optional.of(EMBEDDINGS + "norm"), Optional.of(
                        new DecoderPlan.Transform("lm_head.dense", config.flag("classifier_bias", false),
                                LlamaFamily.activation(config, "classifier_activation", "gelu"), "lm_head.norm")),
                        config.flag("decoder_bias", true), Optional.empty()));
    }

    private static RotaryEmbedding rotary(ModelConfig config, String layers, String older, double theta) {
        ModelConfig rope = config.object("rope_parameters").flatMap(all -> all.object(layers))
                .or(() -> config.object("rope_scaling")).orElse(config);
        return RotaryEmbedding.of(config, rope, config.number(older, theta), 1, LlamaFamily.headSize(config));
    }
}
