package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Gemma 4, text: Gemma 3 with weights of norms as they are, scores that are not scaled, larger heads in layers with
 * full sight, an input of each layer by itself, and last layers that read keys and values of earlier ones.
 */
public final class Gemma4Family extends DecoderFamily {
    private static final String FULL = "full_attention";
    private static final String SLIDING = "sliding_attention";
    private static final String TABLE = "embed_tokens_per_layer";
    private static final String INPUT_WIDTH = "hidden_size_per_layer_input";
    private static final int INPUTS = 256;
    private static final int PATTERN = 6;

    /** For the {@link java.util.ServiceLoader}. */
    public Gemma4Family() {
        super("gemma4_text");
    }

    @Override
    public List<String> layerNames() {
        List<String> names = new ArrayList<>(super.layerNames());
        names.addAll(List.of(TABLE, "per_layer_model_projection", "per_layer_input_gate",
                "per_layer_projection"));
        return names;
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(Gemma4Gguf.form());
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        if (config.flag("enable_moe_block", false)) {
            throw config.unsupported("enable_moe_block", true, "false");
        }
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
        List<LayerPlan> layers = IntStream.range(0, types.size()).mapToObj(i -> LayerPlan.of(attention.of(i),
                new FeedForwardPlan.Gated(i < own ? width : later, activation, false))
                .withNorms(Gemma2Family.AROUND).withEnding(ending)).toList();
        DecoderPlan plan = DecoderPlan.of(LlamaFamily.sizes(config, true),
                NormPlan.rms(config.number("rms_norm_eps", 1e-6)), layers)
                .withScales(new DecoderPlan.Scales((float) Math.sqrt(config.positive("hidden_size")), 1, 1,
                        (float) config.number("final_logit_softcapping", 0)));
        return inputs == 0 ? plan : plan.withEnds(DecoderPlan.Ends.NONE.withLayerInputs(new DecoderPlan.Inputs(
                Optional.of(TABLE), "per_layer_model_projection", "per_layer_projection_norm",
                rows.orElse(plan.sizes().vocabulary()), inputs)));
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

    /** The attention of the layers. */
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
}
