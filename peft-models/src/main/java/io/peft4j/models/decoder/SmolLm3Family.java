package io.peft4j.models.decoder;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** SmolLM3: Llama with layers that do not know positions. */
public final class SmolLm3Family extends DecoderFamily {
    private static final int INTERVAL = 4;

    /** For the {@link java.util.ServiceLoader}. */
    public SmolLm3Family() {
        super("smollm3");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(LlamaFamily.ggufForm("smollm3").rotary("rope_theta", 2e6)
                .fixed("no_rope_layer_interval", INTERVAL).fixed("use_sliding_window", false)
                .writing(SmolLm3Family::requireInterval));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        AttentionPlan attention = LlamaFamily.attention(config, 2e6).withBiases(bias, bias);
        DecoderPlan plan = LlamaFamily.plan(config, attention, LlamaFamily.gated(config, "hidden_act", "silu"), true);
        int interval = config.optionalPositive("no_rope_layer_interval").orElse(INTERVAL);
        Optional<List<Double>> rotates = config.numbers("no_rope_layers");
        rotates.filter(list -> list.size() < plan.layers().size()).ifPresent(list -> {
            throw config.unsupported("no_rope_layers", list, "an entry for each of the " + plan.layers().size()
                    + " layers");
        });
        boolean windowed = config.flag("use_sliding_window", false);
        Windows windows = Windows.of(config, layer -> !rotates(rotates, interval, layer));
        DecoderPlan placed = plan.mapLayers((i, layer) -> rotates(rotates, interval, i) ? layer
                : layer.withAttention(layer.attention().withPositions(AttentionPlan.Positions.NONE)));
        return windowed ? windows.on(placed) : placed;
    }

    private static void requireInterval(ModelConfig config) {
        config.numbers("no_rope_layers").ifPresent(list -> {
            for (int i = 0; i < list.size(); i++) {
                if (rotates(Optional.of(list), INTERVAL, i) != rotates(Optional.empty(), INTERVAL, i)) {
                    throw new ConfigurationException("llama.cpp computes every " + INTERVAL + "th layer of SmolLM3 "
                            + "without positions, but no_rope_layers is " + list);
                }
            }
        });
    }

    private static boolean rotates(Optional<List<Double>> layers, int interval, int layer) {
        return layers.map(list -> list.get(layer) != 0).orElse((layer + 1) % interval != 0);
    }
}
