package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.node.ArrayNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** The kind of each layer of a decoder whose layers are of several, as {@code layer_types} names them. */
final class LayerTypes {
    private static final String KEY = "layer_types";

    private LayerTypes() {
    }

    /**
     * The layers by their kinds.
     *
     * @param usual the kind of a layer where the configuration names none
     * @param layer the plan of a layer of a kind
     */
    static List<LayerPlan> layers(ModelConfig config, IntFunction<String> usual, Function<String, LayerPlan> layer) {
        return of(config, usual).stream().map(layer).toList();
    }

    /** The kinds. */
    static List<String> of(ModelConfig config, IntFunction<String> usual) {
        int count = LlamaFamily.layers(config, "num_hidden_layers");
        List<String> types = config.texts(KEY).orElseGet(() -> IntStream.range(0, count).mapToObj(usual).toList());
        if (types.size() != count) {
            throw config.unsupported(KEY, types.size() + " layers", count + ", as many as num_hidden_layers");
        }
        return types;
    }

    /**
     * A GGUF form in which the key/value heads of each layer say which have attention.
     *
     * @param other the kind of the layers without
     * @param plan the family's plan of a configuration
     */
    static GgufForm ggufForm(GgufForm form, String other, Function<ModelConfig, DecoderPlan> plan) {
        String key = form.architecture() + ".attention.head_count_kv";
        return form.withoutKey("attention.head_count_kv")
                .adding((writer, config) -> writer.int32s(key, plan.apply(config).layers().stream()
                        .mapToInt(layer -> layer.mixer() instanceof AttentionPlan attention
                                ? attention.shape().keyValueHeads() : 0)
                        .toArray()))
                .reading((file, config) -> {
                    ArrayNode types = config.putArray(KEY);
                    long heads = 1;
                    for (long own : file.metadata().integers(key)) {
                        types.add(own == 0 ? other : "full_attention");
                        heads = Math.max(heads, own);
                    }
                    config.put("num_key_value_heads", heads);
                });
    }

    /** The exception for a kind that a family does not have. */
    static FileFormatException unsupported(ModelConfig config, String type, String supported) {
        return config.unsupported(KEY, type, supported);
    }
}
