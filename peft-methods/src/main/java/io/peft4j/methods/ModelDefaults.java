package io.peft4j.methods;

import io.peft4j.core.peft.method.AdapterSetup;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The layers that Hugging Face PEFT adapts by default, for methods that have other ones than LoRA. */
final class ModelDefaults {
    private final Map<String, List<String>> byModelType = new HashMap<>();

    /** Names of layers for models of the given types, beside those of others. */
    ModelDefaults and(List<String> names, String... modelTypes) {
        List.of(modelTypes).forEach(type -> byModelType.put(type, names));
        return this;
    }

    /** The names for a model; none where its type is not known. */
    List<String> of(AdapterSetup setup) {
        return byModelType.getOrDefault(setup.network().description().modelType(), List.of());
    }
}
