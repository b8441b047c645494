package io.peft4j.core.peft;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What adapters do at one place of the model, with the fields of Hugging Face PEFT's {@code get_layer_status}.
 *
 * @param name path of the place
 * @param moduleType what is adapted, for instance {@code lora.Linear}, with several methods separated by a plus sign
 * @param enabled whether any adapter of the model is active
 * @param activeAdapters the model's active adapters, also those that do nothing here
 * @param mergedAdapters the adapters that are merged here
 * @param requiresGrad by adapter, whether its tensors here are trained: irregular where some are and others are not
 * @param availableAdapters the adapters that do something here, active or not
 */
public record LayerStatus(String name, String moduleType, boolean enabled, List<String> activeAdapters,
        List<String> mergedAdapters, Map<String, Agreement> requiresGrad, List<String> availableAdapters) {
    /** Copies the lists. */
    public LayerStatus {
        activeAdapters = List.copyOf(activeAdapters);
        mergedAdapters = List.copyOf(mergedAdapters);
        requiresGrad = Collections.unmodifiableMap(new LinkedHashMap<>(requiresGrad));
        availableAdapters = List.copyOf(availableAdapters);
    }
}
