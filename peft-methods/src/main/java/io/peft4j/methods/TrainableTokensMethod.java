package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.peft.method.TrainedTokens;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Trainable tokens; {@link TrainableTokensConfig} says what is trained. */
@Internal
public final class TrainableTokensMethod extends ConfiguredMethod<TrainableTokensConfig> {
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
        Targets.of(Placement.at(resolved.targetModules()), setup, List.of(), Embedding.class::isInstance).slots()
                .forEach(slot -> layers.addAll(
                        TrainedTokens.of(setup, slot, config.tokenIndices(), config.initWeights())));
        return Adapter.of(setup.isRestoring() ? config : resolved, layers);
    }
}
