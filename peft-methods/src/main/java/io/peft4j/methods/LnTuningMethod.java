package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.peft.method.TrainedCopies;
import java.util.List;

/** LN tuning; {@link LnTuningConfig} says what it trains. */
@Internal
public final class LnTuningMethod extends ConfiguredMethod<LnTuningConfig> {
    private static final ModelDefaults TARGETS = new ModelDefaults()
            .and(List.of("input_layernorm", "post_attention_layernorm", "norm"), "llama", "mistral", "gemma")
            .and(List.of("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
                    "post_feedforward_layernorm", "norm"), "gemma2", "gemma3_text")
            .and(List.of("post_attention_layernorm"), "qwen2", "qwen3");

    @Override
    protected Adapter adapter(LnTuningConfig config, AdapterSetup setup) {
        List<String> defaults = TARGETS.of(setup);
        return Targets.of(config.placement(), setup, defaults, MergedLayer::canCopy)
                .adapter(config, slot -> TrainedCopies.of(setup, slot, "ln_tuning_layers."));
    }
}
