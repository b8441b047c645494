package io.peft4j.methods;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TrainedCopies;
import java.util.List;
import java.util.Map;

/** LN tuning; {@link LnTuningConfig} says what it trains. */
public final class LnTuningMethod extends ModuleMethod {
    private static final Map<String, List<String>> TARGETS = ModelDefaults
            .of(List.of("input_layernorm", "post_attention_layernorm", "norm"), List.of("llama", "mistral", "gemma"))
            .and(List.of("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
                    "post_feedforward_layernorm", "norm"), List.of("gemma2", "gemma3_text"))
            .and(List.of("post_attention_layernorm"), List.of("qwen2", "qwen3")).byModelType();

    /** For the {@link java.util.ServiceLoader}. */
    public LnTuningMethod() {
        super(LnTuningConfig.PEFT_TYPE, "ln-tuning", "the norms, as a whole", "https://arxiv.org/abs/2312.11420",
                Map.of("target-modules", "target_modules"));
    }

    @Override
    public LnTuningConfig readConfig(ConfigReader reader) {
        return LnTuningConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        LnTuningConfig config = (LnTuningConfig) peftConfig;
        List<String> defaults = TARGETS.getOrDefault(setup.network().description().modelType(), List.of());
        Placement placement = config.placement().resolved(setup, defaults);
        return placement.adapter(config.withPlacement(placement), setup,
                placement.targets(setup, defaults, TrainedCopies::canCopy),
                slot -> TrainedCopies.of(setup, slot, "ln_tuning_layers."));
    }
}
