package io.peft4j.methods;

import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ModuleSelector;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import io.peft4j.core.peft.TrainedTokens;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Trainable tokens; {@link TrainableTokensConfig} says what is trained. */
public final class TrainableTokensMethod extends ModuleMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public TrainableTokensMethod() {
        super(TrainableTokensConfig.PEFT_TYPE, "trainable-tokens", "chosen rows of the input embedding",
                "https://huggingface.co/docs/peft/package_reference/trainable_tokens", Map.of());
    }

    @Override
    public Map<String, String> exampleSettings() {
        return Map.of("token_indices", "[0]");
    }

    @Override
    public TrainableTokensConfig readConfig(ConfigReader reader) {
        return TrainableTokensConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        TrainableTokensConfig asked = (TrainableTokensConfig) peftConfig;
        Slot embedding = setup.network().embedding();
        // The path itself, as Hugging Face PEFT writes it.
        TrainableTokensConfig config = asked.targetModules().isUnset()
                ? asked.withTargets(TargetModules.regex(embedding.path())) : asked;
        List<Slot> targets = ModuleSelector.of(config.targetModules()).select(setup, List.of(),
                layer -> layer instanceof Embedding);
        List<AdapterLayer> layers = new ArrayList<>();
        targets.forEach(target -> layers.addAll(
                TrainedTokens.of(setup, target, config.tokenIndices(), config.initWeights())));
        return Adapter.of(setup.isRestoring() ? asked : config, layers);
    }
}
