package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** StarCoder 2 (<a href="https://arxiv.org/abs/2402.19173">2402.19173</a>): Llama with layer norms, biases everywhere, a plain
 * feed-forward network and a window. */
public final class Starcoder2Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Starcoder2Family() {
        super("starcoder2");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "c_fc", "c_proj", "lm_head");
    }

    @Override
    public Optional<GgufForm> gguf() {
        // llama.cpp computes them without the window: the same up to its length.
        return Optional.of(GgufForm.decoder("starcoder2").contextUpTo("sliding_window")
                .withoutKey("attention.layer_norm_rms_epsilon")
                .key("attention.layer_norm_epsilon", "norm_epsilon", GgufKey.Kind.NUMBER, "1e-5")
                .fixed("hidden_act", "gelu_pytorch_tanh")
                .tensor("mlp.c_fc", "ffn_up").tensor("mlp.c_proj", "ffn_down")
                .reading((file, config) -> config.set("use_bias", config.get("attention_bias"))));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("use_bias", true);
        FeedForwardPlan feedForward = new FeedForwardPlan.Plain("c_fc", "c_proj",
                config.positive("intermediate_size"),
                LlamaFamily.activation(config, "hidden_act", "gelu_pytorch_tanh"), bias);
        DecoderPlan plan = LlamaFamily.plan(config, LlamaFamily.attention(config, 10000).withBiases(bias, bias),
                feedForward, true).withNorm(NormPlan.layer(config.number("norm_epsilon", 1e-5)));
        return Windows.everywhere(config).on(plan);
    }
}
