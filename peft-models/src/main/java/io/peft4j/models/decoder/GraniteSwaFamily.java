package io.peft4j.models.decoder;

import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** Granite with attention sinks, a window in three of four layers, and a rotary base a layer: 0 for no positions. */
public final class GraniteSwaFamily extends DecoderFamily {
    private static final int PERIOD = 4;

    /** For the {@link java.util.ServiceLoader}. */
    public GraniteSwaFamily() {
        super("granite_swa");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        DecoderPlan plan = GraniteFamily.plan(config, true)
                .withNorm(NormPlan.rms(config.number("rms_norm_eps", 1e-5)));
        Optional<List<Double>> bases = config.numbers("layer_rope_theta");
        bases.filter(list -> list.size() < plan.layers().size()).ifPresent(list -> {
            throw config.unsupported("layer_rope_theta", list, "a number for each of the " + plan.layers().size()
                    + " layers");
        });
        return Windows.of(config, layer -> layer % PERIOD != 0).on(plan.mapLayers((i, layer) -> {
            AttentionPlan attention = layer.attention().withSinks();
            return layer.withAttention(bases.map(list -> attention.withPositions(positions(config, list.get(i))))
                    .orElse(attention));
        }));
    }

    private static AttentionPlan.Positions positions(ModelConfig config, double base) {
        return base == 0 ? AttentionPlan.Positions.NONE
                : AttentionPlan.Positions.rotary(RotaryEmbedding.withBase(config, base));
    }
}
