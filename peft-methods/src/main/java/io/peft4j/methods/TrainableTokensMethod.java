package io.peft4j.methods;

import io.peft4j.core.nn.Embedding;
import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfiguredMethod;
import io.peft4j.core.peft.Placement;
import io.peft4j.core.peft.TargetModules;
import io.peft4j.core.peft.Targets;
import io.peft4j.core.peft.TrainedTokens;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Trainable tokens; {@link TrainableTokensConfig} says what is trained. */
public final class TrainableTokensMethod extends ConfiguredMethod<TrainableTokensConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public TrainableTokensMethod() {
        super(TrainableTokensConfig.class, "trainable-tokens", "chosen rows of the input embedding",
                "https://huggingface.co/docs/peft/package_reference/trainable_tokens");
    }

    @Override
    public Map<String, String> exampleSettings() {
        return Map.of("token_indices", "[0]");
    }

    @Override
    protected Adapter adapter(TrainableTokensConfig config, AdapterSetup setup) {
        // The path itself, as Hugging Face PEFT writes it.
        TrainableTokensConfig resolved = config.targetModules().isUnset() ? config.toBuilder()
                .targetModules(TargetModules.regex(setup.network().embedding().path())).build() : config;
        List<AdapterLayer> layers = new ArrayList<>();
        Targets.of(Placement.at(resolved.targetModules()), setup, List.of(), Embedding.class::isInstance).slots().forEach(
                slot -> layers.addAll(TrainedTokens.of(setup, slot, config.tokenIndices(), config.initWeights())));
        return Adapter.of(setup.isRestoring() ? config : resolved, layers);
    }
}
