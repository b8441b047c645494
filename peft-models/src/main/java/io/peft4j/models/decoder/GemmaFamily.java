package io.peft4j.models.decoder;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** Gemma 1 (<a href="https://arxiv.org/abs/2403.08295">2403.08295</a>): Llama with scaled embeddings, a GELU gate, and norms
 * whose weights are distances from 1. */
public final class GemmaFamily extends DecoderFamily {
    static final String GELU = "gelu_pytorch_tanh";

    /** For the {@link java.util.ServiceLoader}. */
    public GemmaFamily() {
        super("gemma");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(ggufForm("gemma").without("output").writing(config -> {
            String own = activation(config);
            if (!own.equals(GELU)) {
                throw new ConfigurationException("the model's hidden_act is \"" + own + "\", and llama.cpp computes "
                        + "models of the architecture gemma with \"" + GELU + "\" only");
            }
        }));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        requireCausal(config);
        return plan(config, attention(config), Activation.of(activation(config)));
    }

    /** Early files say gelu and mean its approximation. */
    private static String activation(ModelConfig config) {
        String name = config.text("hidden_activation").or(() -> config.text("hidden_act")).orElse(GELU);
        return name.equals("gelu") ? GELU : name;
    }

    /** llama.cpp adds 1 to the weights of norms when it converts a model. */
    static GgufForm ggufForm(String architecture) {
        return GgufForm.decoder(architecture, "hidden_activation", GELU).shifted("norm");
    }

    /** Refuses a model whose tokens see all others, as only those of Gemma 3 do. */
    static void requireCausal(ModelConfig config) {
        if (config.flag("use_bidirectional_attention", false)) {
            throw config.unsupported("use_bidirectional_attention", true, "false");
        }
    }

    /** Gemma's attention without a window. */
    static AttentionPlan attention(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        return LlamaFamily.attention(config, 10000).withBiases(bias, bias);
    }

    /** Gemma with another attention. */
    static DecoderPlan plan(ModelConfig config, AttentionPlan attention, Activation activation) {
        FeedForwardPlan feedForward = new FeedForwardPlan.Gated(config.positive("intermediate_size"), activation,
                false);
        DecoderPlan plan = LlamaFamily.plan(config, attention, feedForward, true);
        return plan.withNorm(plan.norm().withOffset(1)).withScales(new DecoderPlan.Scales(
                (float) Math.sqrt(plan.sizes().hidden()), 1, 1,
                (float) config.number("final_logit_softcapping", 0)));
    }
}
