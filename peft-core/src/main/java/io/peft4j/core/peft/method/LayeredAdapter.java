package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.safetensors.TensorData;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** An adapter that consists of layers. */
@Internal(shared = true)
public class LayeredAdapter implements Adapter {
    private final PeftConfig config;
    private final List<AdapterLayer> layers;
    private final List<AdapterTensor> shared;
    private final Map<String, TensorData> computed;
    private final Runnable closing;

    /** With the configuration that it was made from. */
    public LayeredAdapter(PeftConfig config, List<AdapterLayer> layers) {
        this(config, layers, List.of(), Map.of(), () -> {
        });
    }

    /**
     * With more than its layers.
     *
     * @param shared tensors that belong to no layer
     * @param computed tensors that are saved beside those of the layers and the shared ones, by their keys
     * @param closing frees what was computed from the base
     */
    public LayeredAdapter(PeftConfig config, List<AdapterLayer> layers, List<AdapterTensor> shared,
            Map<String, TensorData> computed, Runnable closing) {
        this.config = Objects.requireNonNull(config, "config");
        this.layers = List.copyOf(layers);
        this.shared = List.copyOf(shared);
        this.computed = Objects.requireNonNull(computed, "computed");
        this.closing = closing;
    }

    @Override
    public PeftConfig config() {
        return config;
    }

    @Override
    public final List<AdapterLayer> layers() {
        return layers;
    }

    @Override
    public List<AdapterTensor> sharedTensors() {
        return shared;
    }

    @Override
    public Map<String, TensorData> computedTensors(Engine engine) {
        return computed;
    }

    @Override
    public void closeDerived() {
        closing.run();
    }

    @Override
    public String toString() {
        long trained = layers.stream().flatMap(layer -> layer.tensors().stream())
                .filter(tensor -> tensor.isTrainable() && !tensor.isPartOfBase())
                .mapToLong(tensor -> tensor.parameter().length()).sum();
        return config.getClass().getSimpleName().replaceFirst("Config$", "") + " adapter of " + layers.size()
                + " layers with " + trained + " trained values";
    }
}
