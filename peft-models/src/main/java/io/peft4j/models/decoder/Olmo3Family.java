package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** OLMo 3: OLMo 2 with a window in three of four layers, where rotary positions are not scaled. */
public final class Olmo3Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Olmo3Family() {
        super("olmo3");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(Olmo2Family.ggufForm().rotary("rope_theta", 500000)
                .key("attention.sliding_window", "sliding_window", GgufKey.Kind.COUNT)
                .windows(4).reads(metadata -> metadata.has("olmo2.attention.sliding_window")));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        double theta = config.number("rope_theta", 500000);
        RotaryEmbedding[] rotary = Gemma3Family.rotary(config, theta, theta);
        Windows windows = Windows.of(config, layer -> (layer + 1) % 4 != 0);
        return windows.on(Olmo2Family.plan(config, AttentionPlan.of(LlamaFamily.shape(config), rotary[0]))
                .mapLayers((i, layer) -> layer.withAttention(layer.attention().withPositions(
                        AttentionPlan.Positions.rotary(rotary[windows.slides().test(i) ? 1 : 0])))));
    }
}
