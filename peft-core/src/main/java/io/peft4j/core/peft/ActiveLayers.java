package io.peft4j.core.peft;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The base layers, wrapped by adapters in the order of their activation. Does not change, so a pass that runs is not
 * touched by a later activation.
 */
final class ActiveLayers implements LayerSelection {
    private final Map<String, Layer> layers;
    private final List<Adapter> adapters;
    private final Invocations invocations;

    private ActiveLayers(Map<String, Layer> layers, List<Adapter> adapters) {
        this.layers = layers;
        this.adapters = adapters;
        List<Integer> tokens = adapters.stream().map(Adapter::invocation).filter(list -> !list.isEmpty()).findFirst()
                .orElse(List.of());
        this.invocations = new Invocations(group -> tokens);
    }

    /**
     * Stacks the adapters' layers.
     *
     * @throws ConfigurationException when two of them stand in for the same base layer, bring virtual tokens, or wait
     *     for different invocations
     */
    static LayerSelection of(Map<String, Adapter> active) {
        Map<String, Layer> layers = new HashMap<>();
        Map<String, String> replacedBy = new HashMap<>();
        active.forEach((name, adapter) -> adapter.layers().stream().filter(AdapterLayer::replacesBase)
                .forEach(layer -> {
            String other = replacedBy.put(layer.slot().path(), name);
            if (other != null) {
                throw new ConfigurationException("adapters '" + other + "' and '" + name
                        + "' cannot be active together: "
                        + "both bring a trained copy of " + layer.slot().path());
            }
            stack(layers, layer);
        }));
        List<String> prefixes = active.keySet().stream().filter(name -> active.get(name).virtualTokens() > 0).toList();
        if (prefixes.size() > 1) {
            throw new ConfigurationException("adapters '" + prefixes.get(0) + "' and '" + prefixes.get(1)
                    + "' cannot be active together: both put virtual tokens before the sequences");
        }
        requireOneInvocation(active);
        // Virtual tokens have no embedding that another adapter could change, so whoever brings them comes last.
        for (boolean prefix : new boolean[] {false, true}) {
            active.values().stream().filter(adapter -> adapter.virtualTokens() > 0 == prefix)
                    .forEach(adapter -> adapter.layers().stream().filter(layer -> !layer.replacesBase())
                            .forEach(layer -> stack(layers, layer)));
        }
        return layers.isEmpty() && active.isEmpty() ? BASE : new ActiveLayers(layers, List.copyOf(active.values()));
    }

    private static void requireOneInvocation(Map<String, Adapter> active) {
        List<String> waiting = active.keySet().stream().filter(name -> !active.get(name).invocation().isEmpty())
                .toList();
        for (String name : waiting) {
            if (!active.get(name).invocation().equals(active.get(waiting.get(0)).invocation())) {
                throw new ConfigurationException("adapters '" + waiting.get(0) + "' and '" + name
                        + "' cannot be active together: they wait for different tokens, "
                        + active.get(waiting.get(0)).invocation() + " and " + active.get(name).invocation());
            }
        }
    }

    private static void stack(Map<String, Layer> layers, AdapterLayer layer) {
        Slot slot = layer.slot();
        Layer below = layers.getOrDefault(slot.path(), slot.layer());
        layers.put(slot.path(), (context, x) -> layer.forward(context, x, below));
    }

    /**
     * The base layers with copies that the adapters have been merged into.
     *
     * @throws ConfigurationException when a layer cannot be merged; nothing is left allocated
     */
    static Map<String, MergedLayer> merge(Map<String, Adapter> active) {
        Map<String, MergedLayer> merged = new LinkedHashMap<>();
        boolean complete = false;
        try {
            for (boolean replacing : new boolean[] {true, false}) {
                active.forEach((name, adapter) -> adapter.layers().stream()
                        .filter(layer -> layer.replacesBase() == replacing)
                        .forEach(layer -> merge(merged, name, layer)));
            }
            for (MergedLayer layer : merged.values()) {
                if (!layer.isFinite()) {
                    throw new ConfigurationException("merging " + active.keySet() + " gives NaN or infinite weights at "
                            + layer.slot().path() + "; the adapter is broken");
                }
            }
            complete = true;
            return merged;
        } finally {
            if (!complete) {
                merged.values().forEach(MergedLayer::close);
            }
        }
    }

    private static void merge(Map<String, MergedLayer> merged, String name, AdapterLayer layer) {
        Slot slot = layer.slot();
        layer.mergeObstacle().ifPresent(reason -> {
            throw new ConfigurationException("adapter '" + name + "' cannot be merged at " + slot.path() + ": "
                    + reason);
        });
        if (!MergedLayer.canCopy(slot.layer())) {
            throw new ConfigurationException("adapter '" + name + "' cannot be merged at " + slot
                    + ", which has no weight");
        }
        layer.mergeInto(merged.computeIfAbsent(slot.path(), path -> MergedLayer.copyOf(slot)));
    }

    /** The selection that runs merged copies. */
    static LayerSelection ofMerged(Map<String, MergedLayer> merged) {
        Map<String, Layer> layers = new HashMap<>();
        merged.forEach((path, layer) -> layers.put(path, layer.layer()));
        return new ActiveLayers(layers, List.of());
    }

    /**
     * What the merged copies hold, by its name in a checkpoint, in the order of the network.
     *
     * @throws ConfigurationException when nothing is merged
     */
    static Map<String, INDArray> weights(CausalNetwork network, Map<String, MergedLayer> merged) {
        if (merged.isEmpty()) {
            throw new ConfigurationException("the model is not merged; call merge() first");
        }
        Map<String, INDArray> weights = new LinkedHashMap<>();
        network.slots().stream().map(slot -> merged.get(slot.path())).filter(Objects::nonNull)
                .forEach(layer -> weights.putAll(layer.tensors()));
        return weights;
    }

    @Override
    public Layer at(Slot slot) {
        return layers.getOrDefault(slot.path(), slot.layer());
    }

    @Override
    public int virtualTokens() {
        return adapters.stream().mapToInt(Adapter::virtualTokens).sum();
    }

    @Override
    public PackedBatch prepare(PackedBatch batch) {
        PackedBatch prepared = invocations.mark(batch);
        for (Adapter adapter : adapters) {
            prepared = adapter.prepare(prepared);
        }
        return prepared;
    }
}
