package io.peft4j.models.decoder;

import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** GPT-2: layer norms, learned positions, fused projections, a plain feed-forward network, and weights that checkpoints
 * hold as [in, out]. */
public final class Gpt2Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Gpt2Family() {
        super("gpt2");
    }

    @Override
    public List<String> layerNames() {
        return List.of("wte", "wpe", "c_attn", "c_proj", "c_fc", "lm_head");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("c_attn");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.of("gpt2").blocks("transformer.h")
                .key("context_length", "n_positions", GgufKey.Kind.COUNT, "1024")
                .key("embedding_length", "n_embd", GgufKey.Kind.COUNT)
                .key("block_count", "n_layer", GgufKey.Kind.COUNT)
                .key("feed_forward_length", "n_inner", GgufKey.Kind.COUNT)
                .key("attention.head_count", "n_head", GgufKey.Kind.COUNT)
                .key("attention.layer_norm_epsilon", "layer_norm_epsilon", GgufKey.Kind.NUMBER, "1e-5")
                .fixed("activation_function", "gelu_new").fixed("scale_attn_weights", true)
                .fixed("scale_attn_by_inverse_layer_idx", false)
                .whole("transformer.wte", "token_embd").whole("transformer.wpe", "position_embd")
                .whole("transformer.ln_f", "output_norm").whole("lm_head", "output")
                .tensor("ln_1", "attn_norm").tensor("attn.c_attn", "attn_qkv").tensor("attn.c_proj", "attn_output")
                .tensor("ln_2", "ffn_norm").tensor("mlp.c_fc", "ffn_up").tensor("mlp.c_proj", "ffn_down")
                .transposed("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
                .filled(config -> {
                    if (!config.hasNonNull("n_inner")) {
                        config.put("n_inner", 4 * config.path("n_embd").asInt());
                    }
                }));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        if (config.flag("add_cross_attention", false)) {
            throw config.unsupported("add_cross_attention", true, "false");
        }
        // Only how it is computed: the numbers are the same.
        config.flag("reorder_and_upcast_attn", false);
        int hidden = config.positive("n_embd");
        int width = config.optionalPositive("n_inner").orElse(4 * hidden);
        FeedForwardPlan feedForward = new FeedForwardPlan.Plain("c_fc", "c_proj", width,
                LlamaFamily.activation(config, "activation_function", "gelu_new"), true);
        List<LayerPlan> layers = new ArrayList<>();
        for (int i = 0; i < LlamaFamily.layers(config, "n_layer"); i++) {
            layers.add(LayerPlan.of(attention(config, hidden, i), feedForward)
                    .withNorms(LayerPlan.Norms.before("ln_1", "ln_2")));
        }
        return DecoderPlan.of(new DecoderPlan.Sizes(config.positive("vocab_size"), hidden,
                config.optionalPositive("n_positions").orElse(1024), config.flag("tie_word_embeddings", true),
                OptionalInt.empty()), NormPlan.layer(config.number("layer_norm_epsilon", 1e-5)), layers)
                .withNames(new DecoderPlan.Names("transformer.wte", Optional.of("transformer.wpe"), "transformer.h",
                        "transformer.ln_f", "lm_head", Map.of("transformer.", "")))
                .withTransposedLayers();
    }

    private static AttentionPlan attention(ModelConfig config, int hidden, int layer) {
        int heads = config.positive("n_head");
        if (hidden % heads != 0) {
            throw config.unsupported("n_head", heads, "a divisor of n_embd, " + hidden);
        }
        int size = hidden / heads;
        double scale = config.flag("scale_attn_weights", true) ? 1 / Math.sqrt(size) : 1;
        if (config.flag("scale_attn_by_inverse_layer_idx", false)) {
            scale /= layer + 1;
        }
        return new AttentionPlan("attn", new AttentionShape(heads, heads, size, (float) scale),
                new AttentionPlan.Fused("c_attn", false), "c_proj", true, true, Optional.empty(),
                AttentionPlan.Positions.NONE, 0, false);
    }
}
