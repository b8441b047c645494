package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.gguf.GgufType;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * Gemma 4, text: Gemma 3 with weights of norms as they are, scores that are not scaled, larger heads in layers with
 * full sight, an own input of each layer, and last layers that read keys and values of earlier ones.
 */
public final class Gemma4Family extends DecoderFamily {
    private static final String FULL = "full_attention";
    private static final String SLIDING = "sliding_attention";
    private static final String TABLE = "embed_tokens_per_layer";
    private static final String INPUT_WIDTH = "hidden_size_per_layer_input";
    private static final int INPUTS = 256;
    /** The norm before the network is part of it, beside that of the experts. */
    private static final LayerPlan.Norms AROUND_EXPERTS = new LayerPlan.Norms(Gemma2Family.AROUND.beforeAttention(),
            Gemma2Family.AROUND.afterAttention(), Optional.empty(), Gemma2Family.AROUND.afterFeedForward());
    private static final int PATTERN = 6;

    /** For the {@link java.util.ServiceLoader}. */
    public Gemma4Family() {
        super("gemma4_text");
    }

    @Override
    public List<String> layerNames() {
        List<String> names = new ArrayList<>(super.layerNames());
        names.addAll(List.of(TABLE, "per_layer_model_projection", "per_layer_input_gate", "per_layer_projection",
                "proj", "gate_up_proj"));
        return names;
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(Gemma4Gguf.form());
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        config.text("use_bidirectional_attention").filter(of -> !of.equals("vision")).ifPresent(of -> {
            throw config.unsupported("use_bidirectional_attention", of, "vision, null");
        });
        List<String> types = types(config);
        int own = types.size() - config.optionalInteger("num_kv_shared_layers").orElse(0);
        AttentionPlans attention = new AttentionPlans(config, types, own);
        Activation activation = LlamaFamily.activation(config, "hidden_activation", "gelu_pytorch_tanh");
        int width = config.positive("intermediate_size");
        int later = config.flag("use_double_wide_mlp", false) ? 2 * width : width;
        int inputs = config.optionalInteger(INPUT_WIDTH).orElse(INPUTS);
        Optional<Integer> rows = config.optionalPositive("vocab_size_per_layer_input");
        LayerPlan.Ending ending = new LayerPlan.Ending(inputs == 0 ? Optional.empty()
                : Optional.of(new LayerPlan.OwnInput("", inputs, activation)), true);
        Optional<ExpertsPlan> experts = experts(config, activation);
        List<LayerPlan> layers = IntStream.range(0, types.size()).mapToObj(i -> {
            FeedForwardPlan.Gated network = new FeedForwardPlan.Gated(i < own ? width : later, activation, false);
            return LayerPlan.of(attention.of(i), experts.<FeedForwardPlan>map(
                    beside -> new FeedForwardPlan.BesideExperts(network, beside)).orElse(network))
                    .withNorms(experts.isEmpty() ? Gemma2Family.AROUND : AROUND_EXPERTS).withEnding(ending);
        }).toList();
        DecoderPlan plan = DecoderPlan.of(LlamaFamily.sizes(config, true),
                NormPlan.rms(config.number("rms_norm_eps", 1e-6)), layers)
                .withScales(new DecoderPlan.Scales((float) Math.sqrt(config.positive("hidden_size")), 1, 1,
                        (float) config.number("final_logit_softcapping", 0)));
        return inputs == 0 ? plan : plan.withEnds(DecoderPlan.Ends.NONE.withLayerInputs(new DecoderPlan.Inputs(
                Optional.of(TABLE), "per_layer_model_projection", "per_layer_projection_norm",
                rows.orElse(plan.sizes().vocabulary()), inputs)));
    }

    private static Optional<ExpertsPlan> experts(ModelConfig config, Activation activation) {
        return !config.flag("enable_moe_block", false) ? Optional.empty()
                : Optional.of(new ExpertsPlan(config.positive("num_experts"), config.positive("moe_intermediate_size"),
                        new ExpertsPlan.RouterPlan("router", config.positive("top_k_experts"),
                                ExpertsPlan.Weights.OF_CHOSEN_SCALED, false),
                        new ExpertsPlan.Gate.Usual(activation), false, Optional.empty(),
                        ExpertsPlan.Stored.ROWS_TOGETHER));
    }

    /** As in Transformers the last layer has full sight, whatever the configuration says. */
    static List<String> types(ModelConfig config) {
        List<String> types = new ArrayList<>(LayerTypes.of(config, i -> (i + 1) % PATTERN == 0 ? FULL : SLIDING));
        types.stream().filter(type -> !type.equals(FULL) && !type.equals(SLIDING)).findFirst().ifPresent(other -> {
            throw LayerTypes.unsupported(config, other, FULL + ", " + SLIDING);
        });
        types.set(types.size() - 1, FULL);
        return types;
    }

    static final class AttentionPlans {
        private final ModelConfig config;
        private final List<String> types;
        /** The first layer that reads keys and values of an earlier one. */
        private final int own;
        private final boolean keysAreValues;
        private final boolean bias;

        AttentionPlans(ModelConfig config, List<String> types, int own) {
            this.config = config;
            this.types = types;
            this.own = own;
            keysAreValues = config.flag("attention_k_eq_v", false);
            bias = config.flag("attention_bias", false);
            if (own < 1 || own > types.size() || !types.subList(0, own).containsAll(types)) {
                throw config.unsupported("num_kv_shared_layers", types.size() - own,
                        "0 to a number that leaves a layer of each type before those that share");
            }
        }

        AttentionPlan of(int layer) {
            boolean full = types.get(layer).equals(FULL);
            AttentionShape shape = shape(layer, full);
            AttentionPlan plan = AttentionPlan.of(shape, rotary(full, shape.headSize()))
                    .withNames("self_attn", projections(layer, full), "o_proj").withBiases(bias, bias)
                    .withNorms(AttentionPlan.HeadNorms.ofHeads("q_norm", "k_norm"));
            int window = config.optionalPositive("sliding_window").orElse(512);
            return full ? plan : plan.withWindow(window);
        }

        private AttentionPlan.Projections projections(int layer, boolean full) {
            int last = types.subList(0, own).lastIndexOf(types.get(layer));
            return layer >= own ? new AttentionPlan.OfEarlier(last)
                    : new AttentionPlan.NormedValues(keysAreValues && full,
                            layer == last && types.subList(own, types.size()).contains(types.get(layer)));
        }

        /** The heads, as the Hub says them for all layers with full sight, and Transformers for each. */
        private AttentionShape shape(int layer, boolean full) {
            int size = config.optionalPositive("head_dim").orElse(256);
            int heads = config.positive("num_attention_heads");
            int keys = config.optionalPositive("num_key_value_heads").orElse(heads);
            Optional<ModelConfig> each = config.object("per_layer_config");
            int global = config.optionalPositive("global_head_dim").orElse(512);
            Optional<Integer> globalKeys = config.optionalPositive("num_global_key_value_heads");
            Optional<ModelConfig> listed = each.flatMap(all -> all.object(Integer.toString(layer)));
            int ownSize = listed.flatMap(own -> own.optionalPositive("head_dim"))
                    .orElse(full && each.isEmpty() ? global : size);
            int ownKeys = listed.flatMap(own -> own.optionalPositive("num_key_value_heads"))
                    .orElse(full && each.isEmpty() && keysAreValues ? globalKeys.orElse(keys) : keys);
            if (heads % ownKeys != 0 || ownSize % 2 != 0) {
                throw config.unsupported("the heads of layer " + layer, heads + " of " + ownSize + " for " + ownKeys,
                        "a multiple of the key/value heads, of an even size");
            }
            return new AttentionShape(heads, ownKeys, ownSize, 1);
        }

        private RotaryEmbedding rotary(boolean full, int headSize) {
            ModelConfig rope = config.object("rope_parameters").flatMap(both -> both.object(full ? FULL : SLIDING))
                    .orElseGet(() -> usual(full));
            return RotaryEmbedding.of(config, rope, full ? 1e6 : 10000, 1, headSize);
        }

        private ModelConfig usual(boolean full) {
            ObjectNode values = JsonNodeFactory.instance.objectNode();
            return new ModelConfig(config.file(), full
                    ? values.put("rope_type", "proportional").put("partial_rotary_factor", 0.25) : values);
        }
    }

    /** GGUF files of Gemma 4, which say of each layer its window, its heads and the width of its network. */
    private static final class Gemma4Gguf {
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
                    .localRotary(LOCAL_BASE, 0).fixed("attention_bias", false).fixed("enable_moe_block", false)
                    .whole("model.embed_tokens_per_layer", "per_layer_token_embd")
                    .whole("model.per_layer_model_projection", "per_layer_model_proj")
                    .whole("model.per_layer_projection_norm", "per_layer_proj_norm")
                    .tensor("post_attention_layernorm", "post_attention_norm")
                    .tensor("pre_feedforward_layernorm", "ffn_norm")
                    .tensor("post_feedforward_layernorm", "post_ffw_norm")
                    .tensor("per_layer_input_gate", "inp_gate").tensor("per_layer_projection", "proj")
                    .tensor("post_per_layer_input_norm", "post_norm")
                    .tensor("layer_scalar", "layer_output_scale.weight")
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
            writer.bools(WINDOWS, slides)
                    .int32s(HEADS, each(layers, layer -> layer.attention().shape().keyValueHeads()))
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

        /** The value of a layer, given for each or for all. */
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
            rope.putObject("sliding_attention").put("rope_type", "default").put("rope_theta",
                    local == 0 ? 10000 : local);
        }
    }
}
