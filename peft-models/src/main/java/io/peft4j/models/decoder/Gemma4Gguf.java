package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.gguf.GgufType;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/** GGUF files of Gemma 4, which say of each layer its window, its heads and the width of its network. */
final class Gemma4Gguf {
    private static final String PREFIX = "gemma4.";
    private static final String WINDOWS = PREFIX + "attention.sliding_window_pattern";
    private static final String HEADS = PREFIX + "attention.head_count_kv";
    private static final String WIDTHS = PREFIX + "feed_forward_length";
    private static final String LOCAL_BASE = "rope_local_base_freq";
    private static final String FREQUENCIES = "rope_freqs.weight";

    private Gemma4Gguf() {
    }

    static GgufForm form() {
        return GgufForm.decoder("gemma4", "hidden_activation", GemmaFamily.GELU)
                .withoutKey("feed_forward_length").withoutKey("attention.head_count_kv")
                .key("attention.sliding_window", "sliding_window", GgufKey.Kind.COUNT, "512")
                .key("attention.shared_kv_layers", "num_kv_shared_layers", GgufKey.Kind.COUNT_OR_NONE, "0")
                .key("embedding_length_per_layer_input", "hidden_size_per_layer_input", GgufKey.Kind.COUNT_OR_NONE,
                        "256")
                .key("final_logit_softcapping", "final_logit_softcapping", GgufKey.Kind.OPTIONAL_NUMBER)
                .localRotary(LOCAL_BASE, 0).fixed("attention_bias", false)
                .whole("model.embed_tokens_per_layer", "per_layer_token_embd")
                .whole("model.per_layer_model_projection", "per_layer_model_proj")
                .whole("model.per_layer_projection_norm", "per_layer_proj_norm")
                .tensor("post_attention_layernorm", "post_attention_norm")
                .tensor("pre_feedforward_layernorm", "ffn_norm").tensor("post_feedforward_layernorm", "post_ffw_norm")
                .tensor("per_layer_input_gate", "inp_gate").tensor("per_layer_projection", "proj")
                .tensor("post_per_layer_input_norm", "post_norm").tensor("layer_scalar", "layer_output_scale.weight")
                .headSizes(config -> {
                    int full = headSize(layers(config), layer -> layer.attention().window() == 0);
                    return new GgufForm.HeadSizes(full, full, full);
                }).adding(Gemma4Gguf::add).reading(Gemma4Gguf::read);
    }

    private static List<LayerPlan> layers(ModelConfig config) {
        return new Gemma4Family().plan(config).layers();
    }

    private static int headSize(List<LayerPlan> layers, Predicate<LayerPlan> kind) {
        return layers.stream().filter(kind).findFirst().orElse(layers.get(0)).attention().shape().headSize();
    }

    private static void add(GgufWriter writer, ModelConfig config) {
        List<LayerPlan> layers = layers(config);
        boolean[] slides = new boolean[layers.size()];
        for (int i = 0; i < slides.length; i++) {
            slides[i] = layers.get(i).attention().window() > 0;
        }
        int local = headSize(layers, layer -> layer.attention().window() > 0);
        writer.bools(WINDOWS, slides).int32s(HEADS, each(layers, layer -> layer.attention().shape().keyValueHeads()))
                .int32s(WIDTHS, each(layers, layer -> ((FeedForwardPlan.Gated) layer.feedForward()).width()))
                .uint32(PREFIX + "attention.key_length_swa", local)
                .uint32(PREFIX + "attention.value_length_swa", local)
                .uint32(PREFIX + "rope.dimension_count_swa", local);
    }

    private static int[] each(List<LayerPlan> layers, ToIntFunction<LayerPlan> value) {
        return layers.stream().mapToInt(value).toArray();
    }

    private static void read(GgufFile file, ObjectNode config) {
        GgufMetadata metadata = file.metadata();
        List<?> slides = (List<?>) metadata.value(WINDOWS);
        ArrayNode types = config.putArray("layer_types");
        slides.forEach(own -> types.add(own.equals(true) ? "sliding_attention" : "full_attention"));
        int full = slides.indexOf(false);
        config.set("global_head_dim", config.get("head_dim"));
        config.put("head_dim", metadata.integer(PREFIX + "attention.key_length_swa"));
        config.put("num_key_value_heads", of(metadata, HEADS, Math.max(0, slides.indexOf(true))));
        config.put("num_global_key_value_heads", of(metadata, HEADS, full));
        config.put("attention_k_eq_v", !file.names().contains("blk." + full + ".attn_v.weight"));
        config.put("intermediate_size", of(metadata, WIDTHS, 0));
        config.put("use_double_wide_mlp", of(metadata, WIDTHS, slides.size() - 1) > of(metadata, WIDTHS, 0));
        if (file.names().contains("per_layer_token_embd.weight")) {
            config.put("vocab_size_per_layer_input", file.shape("per_layer_token_embd.weight")[0]);
        }
        readRotary(file, config);
    }

    /** The value of a layer, where there is one for each or one for all. */
    private static long of(GgufMetadata metadata, String key, int layer) {
        return metadata.type(key) == GgufType.ARRAY ? metadata.integers(key)[Math.max(0, layer)]
                : metadata.integer(key);
    }

    /** Frequencies that are not rotated are divided by a huge number. */
    private static void readRotary(GgufFile file, ObjectNode config) {
        float[] divisors = file.readFloats(FREQUENCIES);
        long rotated = IntStream.range(0, divisors.length).filter(i -> divisors[i] == 1).count();
        ObjectNode rope = config.putObject("rope_parameters");
        rope.putObject("full_attention").put("rope_type", "proportional")
                .put("partial_rotary_factor", (double) rotated / divisors.length)
                .set("rope_theta", config.get("rope_theta"));
        double local = config.get(LOCAL_BASE).doubleValue();
        config.remove(List.of("rope_scaling", "rope_theta", LOCAL_BASE));
        rope.putObject("sliding_attention").put("rope_type", "default").put("rope_theta", local == 0 ? 10000 : local);
    }
}
