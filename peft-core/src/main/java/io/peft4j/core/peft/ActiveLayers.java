package io.peft4j.core.peft;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.RowTask;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.MergedLayer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The base layers, wrapped by adapters in the order of their activation. Does not change, so a pass that runs is not
 * touched by a later activation.
 */
final class ActiveLayers implements LayerSelection {
    private final Map<String, Layer> layers;
    private final List<Adapter> adapters;
    private final Invocations invocations;
    private final boolean whole;
    private final boolean averages;

    private ActiveLayers(Map<String, Layer> layers, List<Adapter> adapters) {
        this.layers = layers;
        this.adapters = adapters;
        List<Integer> tokens = adapters.stream().map(Adapter::invocation).filter(list -> !list.isEmpty()).findFirst()
                .orElse(List.of());
        this.invocations = new Invocations(group -> tokens);
        this.whole = adapters.stream().anyMatch(ActiveLayers::readsWholeSequences);
        this.averages = adapters.stream().flatMap(adapter -> adapter.layers().stream())
                .anyMatch(AdapterLayer::averagesInTraining);
    }

    private static boolean readsWholeSequences(Adapter adapter) {
        return adapter.layers().stream().anyMatch(AdapterLayer::readsWholeSequences);
    }

    /**
     * Stacks the adapters' layers.
     *
     * @throws ConfigurationException when two of them stand in for the same base layer, bring virtual tokens, or wait
     *     for different invocations, or one reads whole sequences behind virtual tokens of another
     */
    static LayerSelection of(Map<String, Adapter> active) {
        Map<String, Layer> layers = new HashMap<>();
        Map<String, List<Placed>> places = places(active);
        places.forEach((path, here) -> {
            List<String> copies = here.stream().filter(placed -> placed.layer().replacesBase()).map(Placed::adapter)
                    .toList();
            if (copies.size() > 1) {
                throw new ConfigurationException("adapters '" + copies.get(0) + "' and '" + copies.get(1)
                        + "' cannot be active together: both train a copy of " + path);
            }
        });
        List<String> prefixes = active.keySet().stream().filter(name -> active.get(name).virtualTokens() > 0).toList();
        if (prefixes.size() > 1) {
            throw new ConfigurationException("adapters '" + prefixes.get(0) + "' and '" + prefixes.get(1)
                    + "' cannot be active together: both put virtual tokens before the sequences");
        }
        active.keySet().stream().filter(name -> readsWholeSequences(active.get(name))).findFirst()
                .filter(name -> !prefixes.isEmpty()).ifPresent(name -> {
                    throw new ConfigurationException("adapters '" + name + "' and '" + prefixes.get(0) + "' cannot be "
                            + "active together: one reads whole sequences, the other puts virtual tokens before them");
                });
        requireOneInvocation(active);
        places.values().forEach(here -> here.forEach(placed -> stack(layers, placed.layer())));
        return layers.isEmpty() && active.isEmpty() ? BASE : new ActiveLayers(layers, List.copyOf(active.values()));
    }

    private record Placed(String adapter, AdapterLayer layer) {
    }

    /**
     * The layers at each place, the lowest first. Copies of the base layer are below all others; virtual tokens have no
     * embedding that another adapter could change, so whoever brings them comes last.
     */
    private static Map<String, List<Placed>> places(Map<String, Adapter> active) {
        Map<String, List<Placed>> places = new LinkedHashMap<>();
        for (int level = 0; level < 3; level++) {
            int wanted = level;
            active.forEach((name, adapter) -> adapter.layers().stream()
                    .filter(layer -> wanted == (layer.replacesBase() ? 0 : adapter.virtualTokens() == 0 ? 1 : 2))
                    .forEach(layer -> places.computeIfAbsent(layer.slot().path(), p -> new ArrayList<>())
                            .add(new Placed(name, layer))));
        }
        places.values().forEach(ActiveLayers::firstMeetsTheInputFirst);
        return places;
    }

    /** Layers that turn the input change places among each other, so that the first one is the uppermost. */
    private static void firstMeetsTheInputFirst(List<Placed> here) {
        int[] turning = IntStream.range(0, here.size()).filter(i -> here.get(i).layer().turnsInput()).toArray();
        for (int i = 0; i < turning.length / 2; i++) {
            Collections.swap(here, turning[i], turning[turning.length - 1 - i]);
        }
    }

    private static void requireOneInvocation(Map<String, Adapter> active) {
        List<String> waiting = active.keySet().stream().filter(name -> !active.get(name).invocation().isEmpty())
                .toList();
        for (String name : waiting) {
            if (!active.get(name).invocation().equals(active.get(waiting.get(0)).invocation())) {
                throw new ConfigurationException("adapters '" + waiting.get(0) + "' and '" + name
                        + "' cannot be active together: they are invoked by different tokens, "
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
        try (Closer opened = new Closer()) {
            opened.add(() -> Closer.closeAll(merged.values()));
            places(active).values()
                    .forEach(here -> here.forEach(placed -> merge(merged, placed.adapter(), placed.layer())));
            for (MergedLayer layer : merged.values()) {
                if (!layer.isFinite()) {
                    throw new ConfigurationException("merging " + active.keySet() + " results in NaN or "
                            + "infinite weights at " + layer.slot().path() + "; the adapter is damaged");
                }
            }
            opened.keep();
            return merged;
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
    static Map<String, INDArray> weights(Network network, Map<String, MergedLayer> merged) {
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
    public boolean readsWholeSequences() {
        return whole;
    }

    @Override
    public boolean needsAllRows(boolean training) {
        return whole || training && averages;
    }

    @Override
    public ForwardContext begin(ForwardContext context, Function<ForwardContext, Variable> hidden) {
        ForwardContext begun = context;
        for (Adapter adapter : adapters) {
            begun = adapter.begin(begun, hidden);
        }
        return begun;
    }

    @Override
    public RowTask task(int asked) {
        return adapters.stream().map(adapter -> adapter.config().task(asked)).reduce(RowTask.NONE, RowTask::or);
    }

    @Override
    public int virtualTokens() {
        return adapters.stream().mapToInt(Adapter::virtualTokens).sum();
    }

    @Override
    public PackedBatch prepare(PackedBatch batch) {
        PackedBatch prepared = invocations.mark(whole ? batch.withoutSharing() : batch);
        for (Adapter adapter : adapters) {
            prepared = adapter.prepare(prepared);
        }
        return prepared;
    }

    @Override
    public PackedBatch.Targets learned(PackedBatch prepared) {
        return adapters.stream().filter(adapter -> adapter.virtualTokens() > 0).findFirst()
                .map(adapter -> adapter.learned(prepared)).orElse(prepared.targets());
    }
}
