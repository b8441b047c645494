package io.peft4j.methods.internal;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The layers that Hugging Face PEFT adapts by default, for methods that have other ones than LoRA. */
final class ModelDefaults {
    private final Map<String, List<String>> byModelType = new LinkedHashMap<>();

    private ModelDefaults() {
    }

    /** Names of layers for models of the given types. */
    static ModelDefaults of(List<String> names, List<String> modelTypes) {
        return new ModelDefaults().and(names, modelTypes);
    }

    /** Further ones. */
    ModelDefaults and(List<String> names, List<String> modelTypes) {
        modelTypes.forEach(type -> byModelType.put(type, names));
        return this;
    }

    /** The names by {@code model_type}. */
    Map<String, List<String>> byModelType() {
        return Map.copyOf(byModelType);
    }
}
