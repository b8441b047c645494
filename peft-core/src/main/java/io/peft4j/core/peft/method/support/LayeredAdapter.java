package io.peft4j.core.peft.method.support;

import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import java.util.List;
import java.util.Objects;

/** An adapter that consists of layers. */
public class LayeredAdapter implements Adapter {
    private final PeftConfig config;
    private final List<AdapterLayer> layers;

    /** With the configuration that it was made from. */
    public LayeredAdapter(PeftConfig config, List<AdapterLayer> layers) {
        this.config = Objects.requireNonNull(config, "config");
        this.layers = List.copyOf(layers);
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
    public String toString() {
        long trained = layers.stream().flatMap(layer -> layer.tensors().stream())
                .filter(tensor -> tensor.isTrainable() && !tensor.isPartOfBase())
                .mapToLong(tensor -> tensor.parameter().length()).sum();
        return config.getClass().getSimpleName().replaceFirst("Config$", "") + " adapter of " + layers.size()
                + " layers with " + trained + " trained values";
    }
}
