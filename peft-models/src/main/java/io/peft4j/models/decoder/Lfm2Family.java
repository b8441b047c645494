package io.peft4j.models.decoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.models.architecture.GgufDifference;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntFunction;

/** LFM2 (<a href="https://arxiv.org/abs/2511.23404">2511.23404</a>): gated short convolutions, and attention in a few
 * layers. */
public final class Lfm2Family extends DecoderFamily {
    private static final String FULL = "full_attention";
    private static final String CONVOLUTION = "conv";
    private static final Path CONFIG = Path.of("config.json");
    private static final DecoderPlan.Names NAMES = new DecoderPlan.Names("model.embed_tokens", Optional.empty(),
            "model.layers", "model.embedding_norm", "lm_head", Map.of("model.", ""));
    private static final int MULTIPLE = 256;

    /** For the {@link java.util.ServiceLoader}. */
    public Lfm2Family() {
        super("lfm2");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "in_proj", "q_proj", "k_proj", "v_proj", "out_proj", "w1", "w2", "w3",
                "lm_head");
    }

    /** llama.cpp has the inner features as they are. */
    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(ggufForm("lfm2", this::plan)
                .filled(config -> config.put("intermediate_size", width(new ModelConfig(CONFIG, config))))
                .reading((file, config) -> config.put("block_auto_adjust_ff_dim", false)));
    }

    /** That of LFM2 with another feed-forward network. */
    static GgufForm ggufForm(String architecture, Function<ModelConfig, DecoderPlan> plan) {
        return LayerTypes.ggufForm(GgufForm.decoder(architecture), CONVOLUTION, plan).rotary("rope_theta", 1e6)
                .key("attention.layer_norm_rms_epsilon", "norm_eps", GgufKey.Kind.NUMBER, "1e-5")
                .key("shortconv.l_cache", "conv_L_cache", GgufKey.Kind.COUNT, "3").fixed("conv_bias", false)
                .without("output_norm").whole("model.embedding_norm", "token_embd_norm")
                .tensor("operator_norm", "attn_norm").tensor("ffn_norm", "ffn_norm")
                .tensor("self_attn.out_proj", "attn_output").tensor("self_attn.q_layernorm", "attn_q_norm")
                .tensor("self_attn.k_layernorm", "attn_k_norm").tensor("feed_forward.w1", "ffn_gate")
                .tensor("feed_forward.w3", "ffn_up").tensor("feed_forward.w2", "ffn_down")
                .tensor("conv.in_proj", "shortconv.in_proj").tensor("conv.out_proj", "shortconv.out_proj")
                .tensor("conv.conv", "shortconv.conv").differing(GgufDifference.ONE_CHANNEL, "conv.conv")
                .reading((file, config) -> config.remove("hidden_act"));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        return plan(config, gated(width(config)));
    }

    /** LFM2 with another feed-forward network. */
    static DecoderPlan plan(ModelConfig config, FeedForwardPlan feedForward) {
        Optional<List<Double>> attended = config.numbers("full_attn_idxs");
        AttentionPlan attention = LlamaFamily.attention(config, 1e6)
                .withNames("self_attn", AttentionPlan.Separate.LLAMA, "out_proj")
                .withNorms(AttentionPlan.HeadNorms.ofHeads("q_layernorm", "k_layernorm"));
        return plan(config, 3, i -> attended.map(all -> all.contains((double) i)).orElse(true) ? FULL : CONVOLUTION,
                type -> attention, mixer -> LayerPlan.of(mixer, feedForward)
                        .withNorms(LayerPlan.Norms.before("operator_norm", "ffn_norm")));
    }

    /**
     * Short convolutions and attention.
     *
     * @param taps what a convolution reads where the configuration does not say
     * @param usual the kind of a layer where the configuration does not say
     * @param attention the attention of a kind of layer
     * @param layer a layer with a mixer
     */
    static DecoderPlan plan(ModelConfig config, int taps, IntFunction<String> usual,
            Function<String, AttentionPlan> attention, Function<MixerPlan, LayerPlan> layer) {
        boolean tied = config.flag("tie_embedding", config.flag("tie_word_embeddings", true));
        DecoderPlan.Sizes sizes = LlamaFamily.sizes(config, tied);
        MixerPlan convolution = new ShortConvolutionPlan("conv", sizes.hidden(), config.optionalPositive("conv_L_cache")
                .orElse(taps), config.flag("conv_bias", false));
        List<LayerPlan> layers = LayerTypes.layers(config, usual, type -> layer.apply(switch (type) {
            case CONVOLUTION -> convolution;
            case FULL, "sliding_attention" -> attention.apply(type);
            default -> throw LayerTypes.unsupported(config, type, "conv, full_attention, sliding_attention");
        }).withFeedForwardName("feed_forward"));
        return DecoderPlan.of(sizes, NormPlan.rms(config.number("norm_eps", 1e-5)), layers).withNames(NAMES);
    }

    static FeedForwardPlan.Gated gated(int width) {
        return new FeedForwardPlan.Gated(width, Activation.SILU, false).withNames("w1", "w3", "w2");
    }

    /** The inner features: the stated number, or two thirds of it rounded up to a multiple. */
    private static int width(ModelConfig config) {
        int stated = config.optionalPositive("block_ff_dim").orElseGet(() -> config.positive("intermediate_size"));
        double factor = config.number("block_ffn_dim_multiplier", 1);
        int multiple = config.optionalPositive("block_multiple_of").orElse(MULTIPLE);
        if (!config.flag("block_auto_adjust_ff_dim", true)) {
            return stated;
        }
        int adjusted = (int) (factor * (int) (2L * stated / 3));
        return (adjusted + multiple - 1) / multiple * multiple;
    }
}
