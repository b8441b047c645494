package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.safetensors.TensorData;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * What is written of an adapter.
 *
 * @param config the configuration in the file
 * @param tensors the tensors in the file, by their keys
 */
@Internal(shared = true)
public record StoredForm(PeftConfig config, Map<String, TensorData> tensors) {
    /** Checks that both are there. */
    public StoredForm {
        Objects.requireNonNull(config, "config");
        Objects.requireNonNull(tensors, "tensors");
    }

    /** All tensors of an adapter as they are, without those that are for training only. */
    static StoredForm of(Adapter adapter) {
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        for (AdapterLayer layer : adapter.layers()) {
            layer.tensors().forEach(tensor -> tensors.put(AdapterSetup.key(layer.storedAt(), tensor.name()),
                    tensor.stored()));
        }
        adapter.sharedTensors().stream().filter(tensor -> !tensor.isForTraining())
                .forEach(tensor -> tensors.put(tensor.name(), tensor.stored()));
        return new StoredForm(adapter.config(), tensors);
    }

    @Override
    public String toString() {
        return config + " with " + tensors.size() + " tensors";
    }
}
