package io.peft4j.models.decoder;

import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** Qwen 2 and 2.5 (<a href="https://arxiv.org/abs/2412.15115">2412.15115</a>): Llama with biases on queries, keys and values,
 * and a window in later layers where it is switched on. */
public final class Qwen2Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Qwen2Family() {
        super("qwen2");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.decoder("qwen2").fixed("use_sliding_window", false));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        AttentionPlan attention = LlamaFamily.attention(config, 10000).withBiases(true, false);
        return windowed(config, LlamaFamily.plan(config, attention, LlamaFamily.gated(config, "hidden_act", "silu")));
    }

    /** With the windows of Qwen: in layers from {@code max_window_layers} on, where they are switched on. */
    static DecoderPlan windowed(ModelConfig config, DecoderPlan plan) {
        boolean used = config.flag("use_sliding_window", false);
        int first = config.optionalInteger("max_window_layers").orElse(28);
        Windows windows = Windows.of(config, layer -> layer >= first);
        return used ? windows.on(plan) : plan;
    }
}
