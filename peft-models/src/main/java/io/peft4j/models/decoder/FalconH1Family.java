package io.peft4j.models.decoder;

import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Falcon-H1 (<a href="https://arxiv.org/abs/2507.22448">2507.22448</a>): Mamba 2 and attention beside each other in
 * each layer, and multipliers on most of what its parts read and give.
 */
public final class FalconH1Family extends DecoderFamily {
    private static final DecoderPlan.Names NAMES = new DecoderPlan.Names("model.embed_tokens", Optional.empty(),
            "model.layers", "model.final_layernorm", "lm_head", Map.of("model.", ""));

    /** For the {@link java.util.ServiceLoader}. */
    public FalconH1Family() {
        super("falcon_h1");
    }

    @Override
    public List<String> layerNames() {
        List<String> names = new ArrayList<>(List.of("in_proj", "out_proj"));
        names.addAll(super.layerNames());
        return names;
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        config.ignore(List.of("num_logits_to_keep", "mamba_expand"));
        List<Double> ofNetwork = factors(config, "mlp_multipliers", 2);
        LayerPlan layer = LayerPlan.of(new MixerPlan.Both(mamba(config), factors(config, "ssm"), attention(config),
                factors(config, "attention")),
                new FeedForwardPlan.ScaledGated(
                        LlamaFamily.gated(config, "hidden_act", "silu"), ofNetwork.get(0).floatValue(),
                        ofNetwork.get(1).floatValue()))
                .withFeedForwardName("feed_forward")
                .withNorms(LayerPlan.Norms.before("input_layernorm", "pre_ff_layernorm"));
        return DecoderPlan.of(LlamaFamily.sizes(config, false), NormPlan.rms(config.number("rms_norm_eps", 1e-5)),
                Collections.nCopies(LlamaFamily.layers(config, "num_hidden_layers"), layer)).withNames(NAMES)
                .withScales(new DecoderPlan.Scales(1, (float) config.number("embedding_multiplier", 1),
                        (float) config.number("lm_head_multiplier", 1), 0));
    }

    private static Scaled.Factors factors(ModelConfig config, String part) {
        return new Scaled.Factors((float) config.number(part + "_in_multiplier", 1),
                (float) config.number(part + "_out_multiplier", 1));
    }

    private static List<Double> factors(ModelConfig config, String key, int count) {
        List<Double> factors = config.limits(key).orElse(Collections.nCopies(count, 1.0));
        if (factors.size() != count) {
            throw config.unsupported(key, factors, count + " numbers");
        }
        return factors;
    }

    /** A factor on keys is one on scores. */
    private static AttentionPlan attention(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        AttentionShape shape = LlamaFamily.shape(config);
        return LlamaFamily.attention(config, 10000).withBiases(bias, bias)
                .withScale(shape.scale() * config.number("key_multiplier", 1));
    }

    private static Mamba2Plan mamba(ModelConfig config) {
        Mamba2Plan usual = GraniteHybridFamily.mamba(config, config.optionalPositive("mamba_d_ssm").orElseGet(
                () -> config.optionalPositive("mamba_expand").orElse(2) * config.positive("hidden_size")));
        boolean first = config.flag("mamba_norm_before_gate", true);
        return new Mamba2Plan(usual.name(), usual.shape(), usual.taps(), usual.activation(), usual.bias(),
                config.flag("projectors_bias", false), usual.convolutionBias(), usual.leastStep(), usual.mostStep(),
                !config.flag("mamba_rms_norm", false) ? Mamba2Plan.Norm.NONE
                        : first ? Mamba2Plan.Norm.BEFORE_GATE : Mamba2Plan.Norm.BEHIND_GATE,
                factors(config, "ssm_multipliers", 5));
    }
}
