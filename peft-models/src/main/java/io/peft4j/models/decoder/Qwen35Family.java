package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.ScanShape;
import io.peft4j.models.architecture.GgufDifference;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufGroups;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Qwen 3.5: linear attention by the gated delta rule, in every fourth layer attention with a gate. */
public class Qwen35Family extends DecoderFamily {
    private static final String FULL = "full_attention";
    private static final String LINEAR = "linear_attention";
    private static final String MIXER = "linear_attn";
    /** Checkpoints of models of text and images have the decoder one level below. */
    private static final DecoderPlan.Names NAMES = new DecoderPlan.Names("model.embed_tokens", Optional.empty(),
            "model.layers", "model.norm", "lm_head", Map.of("model.", "model.language_model."));

    /** For the {@link java.util.ServiceLoader}. */
    public Qwen35Family() {
        this("qwen3_5_text");
    }

    Qwen35Family(String modelType) {
        super(modelType);
    }

    @Override
    public List<String> layerNames() {
        List<String> names = new ArrayList<>(List.of("in_proj_qkv", "in_proj_z", "in_proj_b", "in_proj_a",
                "out_proj"));
        names.addAll(super.layerNames());
        return names;
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(ggufForm(GgufForm.decoder("qwen35")));
    }

    /** Keys and values are of one size in llama.cpp, and layers with attention come at regular intervals. */
    static GgufForm ggufForm(GgufForm form) {
        String name = form.architecture() + ".";
        return form.fixed("attention_bias", false).rotaryShare("partial_rotary_factor", 0.25)
                .key("full_attention_interval", "full_attention_interval", GgufKey.Kind.COUNT, "4")
                .key("ssm.conv_kernel", "linear_conv_kernel_dim", GgufKey.Kind.COUNT, "4")
                .key("ssm.state_size", "linear_key_head_dim", GgufKey.Kind.COUNT, "128")
                .key("ssm.group_count", "linear_num_key_heads", GgufKey.Kind.COUNT, "16")
                .key("ssm.time_step_rank", "linear_num_value_heads", GgufKey.Kind.COUNT, "32")
                .filled(Qwen35Family::fillInterval)
                .tensor("post_attention_layernorm", "post_attention_norm")
                .tensor(MIXER + ".in_proj_qkv", "attn_qkv").tensor(MIXER + ".in_proj_z", "attn_gate")
                .tensor(MIXER + ".in_proj_b", "ssm_beta").tensor(MIXER + ".in_proj_a", "ssm_alpha")
                .tensor(MIXER + ".conv1d", "ssm_conv1d").tensor(MIXER + ".dt_bias", "ssm_dt.bias")
                .tensor(MIXER + ".A_log", "ssm_a").tensor(MIXER + ".norm", "ssm_norm")
                .tensor(MIXER + ".out_proj", "ssm_out")
                .shifted("layernorm", "model.norm", "q_norm", "k_norm")
                .differing(GgufDifference.ONE_CHANNEL, MIXER + ".conv1d")
                .differing(GgufDifference.NEGATIVE_EXPONENTIAL, MIXER + ".A_log")
                .completed(Qwen35Family::withOrder)
                .writing(Qwen35Family::requireRegular)
                .adding((writer, config) -> writer.int32s(name + "rope.dimension_sections", sections(config))
                        .uint32(name + "ssm.inner_size", linear(config).valueColumns()))
                .reading((file, config) -> {
                    config.set("linear_value_head_dim", config.get("linear_key_head_dim"));
                    config.put("num_hidden_layers", config.get("num_hidden_layers").longValue()
                            - file.metadata().integer(name + "nextn_predict_layers", 0));
                });
    }

    /** Value heads stand by their key heads here, and in turns there. */
    private static GgufForm withOrder(GgufForm form, ModelConfig config) {
        ScanShape shape = linear(config);
        int each = shape.valueHeads() / shape.keyHeads();
        GgufGroups values = new GgufGroups(0, shape.keyHeads(), each, shape.valueSize());
        return form.grouped(GgufDifference.TILED_COLUMNS, values, MIXER + ".out_proj")
                .grouped(GgufDifference.TILED_ROWS, values, MIXER + ".in_proj_z")
                .grouped(GgufDifference.TILED_ROWS, new GgufGroups(2 * shape.keyColumns(), shape.keyHeads(), each,
                        shape.valueSize()), MIXER + ".in_proj_qkv", MIXER + ".conv1d")
                .grouped(GgufDifference.TILED_ROWS, new GgufGroups(0, shape.keyHeads(), each, 1),
                        MIXER + ".in_proj_a", MIXER + ".in_proj_b", MIXER + ".A_log", MIXER + ".dt_bias");
    }

    /** The number of layers from one with attention to the next, where the layers are listed. */
    private static void fillInterval(ObjectNode config) {
        JsonNode types = config.path("layer_types");
        if (types.isArray()) {
            config.put("full_attention_interval", 1 + IntStream.range(0, types.size())
                    .filter(i -> types.get(i).asText().equals(FULL)).findFirst().orElse(types.size()));
        }
    }

    private static void requireRegular(ModelConfig config) {
        ScanShape shape = linear(config);
        if (shape.keySize() != shape.valueSize()) {
            throw new ConfigurationException("llama.cpp has keys and values of linear attention of one size, but "
                    + "linear_key_head_dim is " + shape.keySize() + " and linear_value_head_dim " + shape.valueSize());
        }
        List<String> types = config.texts("layer_types").orElse(List.of());
        int interval = types.indexOf(FULL) + 1;
        for (int i = 0; i < types.size(); i++) {
            if (types.get(i).equals(FULL) != (interval > 0 && (i + 1) % interval == 0)) {
                throw new ConfigurationException("llama.cpp has attention in every so many-th layer of Qwen 3.5, but "
                        + "layer_types is " + types);
            }
        }
    }

    /** The parts of the rotary frequencies of time, height and width of an image; those of text are the same. */
    private static int[] sections(ModelConfig config) {
        List<Double> sections = config.object("rope_parameters").flatMap(rope -> rope.numbers("mrope_section"))
                .orElse(List.of(11.0, 11.0, 10.0));
        return IntStream.range(0, 4).map(i -> i < sections.size() ? sections.get(i).intValue() : 0).toArray();
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        return plan(config, LlamaFamily.gated(config, "hidden_act", "silu"));
    }

    /** Qwen 3.5 with another feed-forward network. */
    static DecoderPlan plan(ModelConfig config, FeedForwardPlan feedForward) {
        MixerPlan attention = attention(config);
        MixerPlan linear = new DeltaRulePlan(MIXER, linear(config),
                config.optionalPositive("linear_conv_kernel_dim").orElse(4));
        int interval = config.optionalPositive("full_attention_interval").orElse(4);
        List<LayerPlan> layers = LayerTypes.layers(config, i -> (i + 1) % interval == 0 ? FULL : LINEAR,
                type -> LayerPlan.of(switch (type) {
                    case FULL -> attention;
                    case LINEAR -> linear;
                    default -> throw LayerTypes.unsupported(config, type, LINEAR + ", " + FULL);
                }, feedForward));
        return DecoderPlan.of(LlamaFamily.sizes(config, false), NormPlan.rms(config.number("rms_norm_eps", 1e-6))
                .withOffset(1), layers).withNames(NAMES);
    }

    private static ScanShape linear(ModelConfig config) {
        return new ScanShape(config.optionalPositive("linear_num_key_heads").orElse(16),
                config.optionalPositive("linear_num_value_heads").orElse(32),
                config.optionalPositive("linear_key_head_dim").orElse(128),
                config.optionalPositive("linear_value_head_dim").orElse(128));
    }

    private static AttentionPlan attention(ModelConfig config) {
        // Of text all positions of an image's sections are one.
        config.object("rope_parameters").ifPresent(rope -> {
            rope.numbers("mrope_section");
            rope.flag("mrope_interleaved", true);
        });
        boolean bias = config.flag("attention_bias", false);
        return AttentionPlan.of(LlamaFamily.shape(config), RotaryEmbedding.of(config, 10000, 0.25,
                LlamaFamily.headSize(config)))
                .withNames("self_attn", AttentionPlan.Separate.LLAMA.withGate(AttentionPlan.Gate.IN_QUERY), "o_proj")
                .withBiases(bias, bias).withNorms(AttentionPlan.HeadNorms.ofHeads("q_norm", "k_norm"));
    }
}
