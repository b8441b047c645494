package io.peft4j.models.decoder;

import io.peft4j.models.architecture.ModelConfig;
import java.util.List;

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
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("use_bias", true);
        FeedForwardPlan feedForward = new FeedForwardPlan.Plain("c_fc", "c_proj",
                config.positive("intermediate_size"),
                LlamaFamily.activation(config, "hidden_act", "gelu_pytorch_tanh"), bias);
        DecoderPlan plan = LlamaFamily.plan(config, LlamaFamily.attention(config, 10000).withBiases(bias, bias),
                feedForward, true).withNorm(NormPlan.layer(config.number("norm_epsilon", 1e-5)));
        return new Windows(config.optionalPositive("sliding_window").orElse(0), layer -> true).on(plan);
    }
}
