package io.peft4j.models.decoder;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;
import java.util.function.IntPredicate;

/** EXAONE 4 (<a href="https://arxiv.org/abs/2507.11407">2507.11407</a>): norms behind attention and feed-forward network and of
 * each head's queries and keys; where some layers have a window, the others do not know positions. */
public final class Exaone4Family extends DecoderFamily {
    private static final int PERIOD = 4;
    /** llama.cpp reads windows in models of this many layers only. */
    private static final int WINDOWED_LAYERS = 64;

    /** For the {@link java.util.ServiceLoader}. */
    public Exaone4Family() {
        super("exaone4");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.decoder("exaone4").tensor("post_attention_layernorm", "post_attention_norm")
                .tensor("post_feedforward_layernorm", "post_ffw_norm")
                .key("attention.sliding_window", "sliding_window", GgufKey.Kind.OPTIONAL_COUNT).windows(PERIOD)
                .writing(config -> {
                    if (config.has("sliding_window") != (config.positive("num_hidden_layers") == WINDOWED_LAYERS)) {
                        throw new ConfigurationException("llama.cpp computes EXAONE 4 with windows in models of "
                                + WINDOWED_LAYERS + " layers and in no others, but this one has "
                                + config.positive("num_hidden_layers") + " layers and "
                                + (config.has("sliding_window") ? "a window" : "none"));
                    }
                }));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        AttentionPlan attention = LlamaFamily.attention(config, 10000)
                .withNorms(AttentionPlan.HeadNorms.ofHeads("q_norm", "k_norm"));
        DecoderPlan plan = LlamaFamily.plan(config, attention, LlamaFamily.gated(config, "hidden_act", "silu"))
                .withNorm(NormPlan.rms(config.number("rms_norm_eps", 1e-5))).mapLayers((i, layer) -> layer.withNorms(
                        LayerPlan.Norms.after("post_attention_layernorm", "post_feedforward_layernorm")));
        Windows windows = Windows.of(config, usual(config));
        return windows.size() == 0 ? plan : windows.on(plan.mapLayers((i, layer) -> windows.slides().test(i) ? layer
                : layer.withAttention(layer.attention().withPositions(AttentionPlan.Positions.NONE))));
    }

    /** The layers with a window where the configuration does not list them: a period, or a letter L for each. */
    private static IntPredicate usual(ModelConfig config) {
        if (config.values().path("sliding_window_pattern").isTextual()) {
            String pattern = config.text("sliding_window_pattern").orElseThrow();
            int last = config.positive("num_hidden_layers") - 1;
            return layer -> layer != last && pattern.charAt(layer % pattern.length()) == 'L';
        }
        int period = config.optionalInteger("sliding_window_pattern").orElse(PERIOD);
        return layer -> period > 0 && (layer + 1) % period != 0;
    }
}
