package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** Gemma 3 (<a href="https://arxiv.org/abs/2503.19786">2503.19786</a>), text: Gemma 2 with normalized queries and keys instead
 * of soft caps, and two rotary bases, one for layers with a window and one for those without. */
public final class Gemma3Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Gemma3Family() {
        super("gemma3_text");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(Gemma2Family.ggufForm("gemma3").windows(6)
                .key("final_logit_softcapping", "final_logit_softcapping", GgufKey.Kind.OPTIONAL_NUMBER)
                .localRotary("rope_local_base_freq", 10000));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        RotaryEmbedding[] rotary = rotary(config, 1e6, 10000);
        AttentionPlan attention = GemmaFamily.attention(config).withNorms(
                AttentionPlan.HeadNorms.ofHeads("q_norm", "k_norm"))
                .withScale(1 / Math.sqrt(config.number("query_pre_attn_scalar", 256)))
                .withSoftCap(config.number("attn_logit_softcapping", 0));
        int pattern = config.optionalPositive("sliding_window_pattern")
                .or(() -> config.optionalPositive("_sliding_window_pattern")).orElse(6);
        Windows windows = Windows.of(config, layer -> (layer + 1) % pattern != 0);
        Windows sight = seesAll(config) ? windows.around() : windows;
        DecoderPlan plan = GemmaFamily.plan(config, attention,
                LlamaFamily.activation(config, "hidden_activation", "gelu_pytorch_tanh"));
        return sight.on(plan.mapLayers((i, layer) -> layer.withNorms(Gemma2Family.AROUND)
                .withAttention(layer.attention().withPositions(AttentionPlan.Positions.rotary(
                        rotary[windows.slides().test(i) ? 1 : 0])))));
    }

    /**
     * EmbeddingGemma (<a href="https://arxiv.org/abs/2509.20354">2509.20354</a>): half of a window lies on either side.
     */
    @Override
    boolean seesAll(ModelConfig config) {
        return config.flag("use_bidirectional_attention", false);
    }

    /** The rotary embeddings of layers without and with a window; scaling of the older form is of those without. */
    static RotaryEmbedding[] rotary(ModelConfig config, double global, double local) {
        int size = LlamaFamily.headSize(config);
        ModelConfig both = config.object("rope_parameters").orElse(config);
        ModelConfig full = both.object("full_attention").or(() -> config.object("rope_scaling")).orElse(both);
        // Beside the older form's rope_theta, which is that of full sight.
        ModelConfig sliding = both.object("sliding_attention").orElseGet(() -> new ModelConfig(config.file(),
                JsonNodeFactory.instance.objectNode().put("rope_theta", config.number("rope_local_base_freq", local))));
        return new RotaryEmbedding[] {
            RotaryEmbedding.of(config, full, config.number("rope_theta", global), 1, size),
            RotaryEmbedding.of(config, sliding, config.number("rope_local_base_freq", local), 1, size)};
    }
}
