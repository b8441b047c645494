package io.peft4j.models.decoder;

import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;

/** Which layers attend to a window, by {@code layer_types} and {@code sliding_window}. */
record Windows(int size, IntPredicate slides) {
    private static final String SLIDING = "sliding_attention";
    private static final String FULL = "full_attention";

    /**
     * Reads both keys.
     *
     * @param usual the layers that have a window where {@code layer_types} is not given
     */
    static Windows of(ModelConfig config, IntPredicate usual) {
        int size = size(config);
        Optional<List<String>> types = config.texts("layer_types");
        types.ifPresent(list -> list.stream().filter(type -> !type.equals(SLIDING) && !type.equals(FULL)).findFirst()
                .ifPresent(other -> {
                    throw config.unsupported("layer_types", other, FULL + ", " + SLIDING);
                }));
        return new Windows(size, layer -> types.isEmpty() ? usual.test(layer)
                : layer < types.get().size() && types.get().get(layer).equals(SLIDING));
    }

    /** The window of the configuration in all layers. */
    static Windows everywhere(ModelConfig config) {
        return new Windows(size(config), layer -> true);
    }

    private static int size(ModelConfig config) {
        return Math.max(0, config.optionalInteger("sliding_window").orElse(0));
    }

    /** The window of a layer; 0: none. */
    int of(int layer) {
        return slides.test(layer) ? size : 0;
    }

    /** For layers whose tokens see as much on either side: half the size. */
    Windows around() {
        return size == 0 ? this : new Windows(size | 1, slides);
    }

    /** Gives the layers of a decoder their windows. */
    DecoderPlan on(DecoderPlan plan) {
        return plan.mapLayers((i, layer) -> layer.withAttention(layer.attention().withWindow(of(i))));
    }
}
