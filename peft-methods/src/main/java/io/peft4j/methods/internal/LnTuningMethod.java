package io.peft4j.methods.internal;

import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.peft.method.support.TrainedCopies;
import io.peft4j.methods.LnTuningConfig;
import java.util.List;
import java.util.Map;

/** LN tuning; {@link LnTuningConfig} says what it trains. */
public final class LnTuningMethod extends ConfiguredMethod<LnTuningConfig> {
    private static final Map<String, List<String>> TARGETS = ModelDefaults
            .of(List.of("input_layernorm", "post_attention_layernorm", "norm"), List.of("llama", "mistral", "gemma"))
            .and(List.of("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
                    "post_feedforward_layernorm", "norm"), List.of("gemma2", "gemma3_text"))
            .and(List.of("post_attention_layernorm"), List.of("qwen2", "qwen3")).byModelType();

    @Override
    protected Adapter adapter(LnTuningConfig config, AdapterSetup setup) {
        List<String> defaults = TARGETS.getOrDefault(setup.network().description().modelType(), List.of());
        return Targets.of(config.placement(), setup, defaults, MergedLayer::canCopy)
                .adapter(config, slot -> TrainedCopies.of(setup, slot, "ln_tuning_layers."));
    }
}
