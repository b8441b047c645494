package io.peft4j.models.decoder;

import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** SmolLM3: Llama with layers that do not know positions. */
public final class SmolLm3Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public SmolLm3Family() {
        super("smollm3");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        AttentionPlan attention = LlamaFamily.attention(config, 2e6).withBiases(bias, bias);
        DecoderPlan plan = LlamaFamily.plan(config, attention, LlamaFamily.gated(config, "hidden_act", "silu"), true);
        int interval = config.optionalPositive("no_rope_layer_interval").orElse(4);
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

    private static boolean rotates(Optional<List<Double>> layers, int interval, int layer) {
        return layers.map(list -> list.get(layer) != 0).orElse((layer + 1) % interval != 0);
    }
}
