package io.peft4j.core.peft;

import io.peft4j.core.autograd.LowRankOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.LowRankUpdate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Layers that run each row of a batch through the adapter of its group ({@link PackedBatch#groups()}), or through the
 * base alone. The base layer runs once for all rows. What an adapter of low rank adds is added to its rows in place;
 * any other adapter gets copies of its rows of the input and of that result.
 */
final class RowLayers implements LayerSelection {
    private final Map<String, Layer> layers = new HashMap<>();
    private final int[] groupOfSequence;
    private final Invocations invocations;

    private RowLayers(int[] groupOfSequence, Invocations invocations) {
        this.groupOfSequence = groupOfSequence;
        this.invocations = invocations;
    }

    private RowLayers(Map<String, Layer> layers, int[] groupOfSequence, Invocations invocations) {
        this(groupOfSequence, invocations);
        this.layers.putAll(layers);
    }

    /**
     * Layers for some adapters of a model.
     *
     * @param lookup gives an adapter by its name, and refuses an unknown name
     * @param names the adapter of each group, or {@link PeftModel#BASE}
     * @throws ConfigurationException when a name is unknown, or an adapter cannot run on some rows
     */
    static RowLayers of(Network network, Function<String, Adapter> lookup, List<String> names) {
        List<Map.Entry<String, Optional<Adapter>>> groups = new ArrayList<>();
        for (String name : names) {
            groups.add(Map.entry(name, name.equals(PeftModel.BASE) ? Optional.empty()
                    : Optional.of(lookup.apply(name))));
        }
        return of(network, groups);
    }

    /** As {@link #of(Network, Function, List)}, with the adapters themselves. */
    static RowLayers of(Network network, List<Map.Entry<String, Optional<Adapter>>> adapters) {
        RowLayers rows = new RowLayers(new int[0], new Invocations(group -> group >= adapters.size() ? List.of()
                : adapters.get(group).getValue().map(Adapter::invocation).orElse(List.of())));
        Map<String, List<List<AdapterLayer>>> places = new HashMap<>();
        for (int group = 0; group < adapters.size(); group++) {
            Optional<Adapter> adapter = adapters.get(group).getValue();
            if (adapter.isEmpty()) {
                continue;
            }
            requireMixable(network, adapters.get(group).getKey(), adapter.get());
            for (boolean replacing : new boolean[] {true, false}) {
                for (AdapterLayer layer : adapter.get().layers()) {
                    if (layer.replacesBase() == replacing) {
                        places.computeIfAbsent(layer.slot().path(), p -> empty(adapters.size())).get(group).add(layer);
                    }
                }
            }
        }
        network.slots().stream().filter(slot -> places.containsKey(slot.path())).forEach(slot -> rows.layers
                .put(slot.path(), (context, x) -> forward(context, x, slot, places.get(slot.path()))));
        return rows;
    }

    private static List<List<AdapterLayer>> empty(int groups) {
        return IntStream.range(0, groups).<List<AdapterLayer>>mapToObj(g -> new ArrayList<>()).toList();
    }

    private static void requireMixable(Network network, String name, Adapter adapter) {
        mixingObstacle(network, adapter).ifPresent(reason -> {
            throw new ConfigurationException("adapter '" + name + "' cannot share a batch with others: " + reason);
        });
    }

    /** Why an adapter cannot run on some rows of a batch, as a sentence; empty where it can. */
    static Optional<String> mixingObstacle(Network network, Adapter adapter) {
        PackedBatch probe = PackedBatch.of(List.of(TokenSequence.unsupervised(0).withSource(0)
                .inTask(adapter.config().task(TokenSequence.NO_TASK).number())));
        Optional<String> obstacle = adapter.prepare(probe) != probe
                ? Optional.of("it adds virtual tokens to a batch") : adapter.layers().stream()
                        .flatMap(layer -> layer.mixingObstacle().stream()).findFirst();
        return obstacle.isEmpty() && adapter.layers().stream()
                .anyMatch(layer -> network.output().filter(layer.slot()::equals).isPresent())
                        ? Optional.of("it changes the output layer, which runs on chosen rows only") : obstacle;
    }

    /** The same for a batch of sequences of which the groups are given. */
    RowLayers forSequences(int... groups) {
        return new RowLayers(layers, groups, invocations);
    }

    private static Variable forward(ForwardContext context, Variable x, Slot slot, List<List<AdapterLayer>> byGroup) {
        Map<Integer, int[]> rows = rowsByGroup(context.batch(), byGroup.size());
        if (rows.size() == 1) {
            return stacked(slot.layer(), byGroup.get(rows.keySet().iterator().next())).forward(context, x);
        }
        if (slot.layer() instanceof Linear
                && rows.keySet().stream().allMatch(group -> isPlain(context, byGroup.get(group)))) {
            return addLowRank(context, x, slot, byGroup);
        }
        Variable[] whole = new Variable[1];
        List<Variable> parts = new ArrayList<>();
        rows.forEach((group, own) -> {
            boolean reads = !(slot.layer() instanceof Embedding);
            Variable input = byGroup.get(group).isEmpty() || !reads ? x : RowOps.gatherRows(context.tape(), x, own);
            Layer base = (part, given) -> {
                if (given != input) {
                    return slot.layer().forward(part, given);
                }
                whole[0] = whole[0] == null ? slot.layer().forward(context, x) : whole[0];
                return RowOps.gatherRows(context.tape(), whole[0], own);
            };
            parts.add(stacked(base, byGroup.get(group)).forward(context.onRows(own), input));
        });
        return RowOps.assemble(context.tape(), parts, List.copyOf(rows.values()));
    }

    /** Whether an adapter adds a product of low rank at a place, or does nothing there. */
    private static boolean isPlain(ForwardContext context, List<AdapterLayer> layers) {
        return layers.isEmpty() || layers.size() == 1 && layers.get(0).lowRankUpdate()
                .filter(update -> !update.a().isTransposed() && !update.b().isTransposed()).isPresent()
                && !(context.isTraining() && layers.get(0).hasDropout());
    }

    /** Adds each adapter's product to its rows in place, so that no row is copied. */
    private static Variable addLowRank(ForwardContext context, Variable x, Slot slot,
            List<List<AdapterLayer>> byGroup) {
        Tape tape = context.tape();
        int[] groupOf = context.batch().groups();
        Variable[] a = new Variable[byGroup.size()];
        Variable[] b = new Variable[byGroup.size()];
        List<LowRankOps.RowUpdate> updates = new ArrayList<>();
        for (int from = 0, to; from < groupOf.length; from = to) {
            int group = groupOf[from];
            to = from + 1;
            while (to < groupOf.length && groupOf[to] == group) {
                to++;
            }
            if (!byGroup.get(group).isEmpty()) {
                LowRankUpdate update = byGroup.get(group).get(0).lowRankUpdate().orElseThrow();
                a[group] = a[group] == null ? value(tape, update.a()) : a[group];
                b[group] = b[group] == null ? value(tape, update.b()) : b[group];
                updates.add(new LowRankOps.RowUpdate(from, to, a[group], b[group], (float) update.scaling()));
            }
        }
        return LowRankOps.addByRows(tape, slot.layer().forward(context, x), x, updates);
    }

    private static Variable value(Tape tape, AdapterTensor tensor) {
        return tensor.isTrainable() ? tape.parameter(tensor.parameter()) : tape.constant(tensor.parameter().value());
    }

    /** The base layer with the layers of one adapter around it. */
    private static Layer stacked(Layer base, List<AdapterLayer> layers) {
        Layer all = base;
        for (AdapterLayer layer : layers) {
            Layer below = all;
            all = (context, x) -> layer.forward(context, x, below);
        }
        return all;
    }

    /** The groups that are there, ascending, with their rows. */
    private static Map<Integer, int[]> rowsByGroup(PackedBatch batch, int groups) {
        Map<Integer, int[]> rows = batch.rowsOfGroups();
        if (rows.keySet().stream().anyMatch(group -> group < 0 || group >= groups)) {
            throw new ConfigurationException("the batch has rows of the groups " + rows.keySet() + ", but only "
                    + groups + " adapters were given for its rows");
        }
        return rows;
    }

    @Override
    public Layer at(Slot slot) {
        return layers.getOrDefault(slot.path(), slot.layer());
    }

    @Override
    public PackedBatch prepare(PackedBatch batch) {
        return invocations.mark(batch);
    }

    @Override
    public int group(int sequence) {
        return groupOfSequence.length == 0 ? 0 : groupOfSequence[sequence];
    }
}
