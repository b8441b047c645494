package io.peft4j.train;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What enters the first decoder layer that a training changes, kept for the examples of a training from epoch to epoch.
 * All before that layer is the base model, or adapters that are {@linkplain #freezeBelow frozen}, without dropout: it
 * gives the same every time and is computed once.
 *
 * <p>It is computed for some examples together that follow each other in the data, when the first of them is needed, so
 * that its bits do not depend on where a training began. Examples that find no room are computed in each pass. The loss
 * and its gradients are those of whole passes up to rounding: examples that are computed together may add up the same
 * terms in another order than others.
 */
final class FrozenStates implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FrozenStates.class);
    /** What is kept takes at most this share of the size of the model's weights in the type of activations. */
    private static final int SHARE = 4;

    private final Map<int[], Group> groups = new IdentityHashMap<>();
    private int layer;
    private int frozen;
    private long keptBytes;
    private long plannedBytes;

    /** Examples that are computed together, and their states [T, H] when they have been. */
    private static final class Group {
        private final List<TokenSequence> examples = new ArrayList<>();
        private final Map<int[], INDArray> states = new IdentityHashMap<>();
    }

    private FrozenStates() {
    }

    /** Keeps nothing; all passes begin with the embedding. */
    public static FrozenStates none() {
        return new FrozenStates();
    }

    /**
     * Keeps as much as a quarter of the model's weights takes.
     *
     * @param examples all examples that will come, the same objects; the first of them are kept
     * @param together how many are computed together
     */
    public static FrozenStates of(ModelDescription model, List<TokenSequence> examples, int together) {
        long weights = model.parameters() * Arrays.bytes(model.activationType());
        return upTo(weights / SHARE, model, examples, together);
    }

    /** As {@link #of}, with the number of bytes that are kept at most. */
    public static FrozenStates upTo(long bytes, ModelDescription model, List<TokenSequence> examples, int together) {
        FrozenStates states = new FrozenStates();
        long rowBytes = (long) model.hiddenSize() * Arrays.bytes(model.activationType());
        long left = bytes;
        Group group = new Group();
        for (TokenSequence example : examples) {
            left -= example.length() * rowBytes;
            if (left < 0) {
                break;
            }
            group = group.examples.size() < together ? group : new Group();
            if (states.groups.putIfAbsent(example.ids(), group) == null) {
                group.examples.add(example);
                states.plannedBytes += example.length() * rowBytes;
            }
        }
        return states;
    }

    /** From now on nothing changes the adapters of the layers before one, which have no dropout; false if known. */
    boolean freezeBelow(int first) {
        boolean isNew = first > frozen;
        frozen = first;
        return isNew;
    }

    /**
     * The pass, begun at the first layer that is changed if that saves something. The states lie in the
     * pass's arena.
     */
    ForwardContext start(ModelLease model, Workspace workspace, ForwardContext context) {
        PackedBatch batch = context.batch();
        int changed = groups.isEmpty() && frozen == 0 || batch.sequences().isEmpty() ? 0
                : Math.max(frozen, firstChanged(model.network(), context.layers()));
        if (changed == 0) {
            return context;
        }
        if (changed != layer) {
            clear();
            layer = changed;
            LOG.info("nothing changes the first {}: their output is computed once for {} and kept",
                    Count.of(layer, "decoder layer"), Count.of(groups.size(), "example"));
        }
        LayerSelection below = frozen == 0 ? LayerSelection.BASE : context.layers();
        Arena arena = workspace.arena();
        Map<int[], INDArray> known = new IdentityHashMap<>();
        List<TokenSequence> others = new ArrayList<>();
        for (TokenSequence sequence : batch.sequences()) {
            Group group = groups.get(sequence.ids());
            if (group == null) {
                others.add(sequence);
                continue;
            }
            if (group.states.isEmpty()) {
                compute(model, below, workspace, group.examples, Arrays::zeros, group.states);
                keptBytes += group.states.values().stream().mapToLong(FrozenStates::bytes).sum();
            }
            known.put(sequence.ids(), group.states.get(sequence.ids()));
        }
        if (!others.isEmpty()) {
            compute(model, below, workspace, others, arena::allocate, known);
        }
        return context.startingWith(new ForwardContext.LayerStates(layer, packed(known, batch, arena)));
    }

    /** The number of the first decoder layer that is not as in the base; 0 also if unknown. */
    public static int firstChanged(Network network, LayerSelection layers) {
        if (layers.virtualTokens() > 0 || isChanged(network.embedding(), layers)
                || network.routerLossCoefficient() != 0) {
            return 0;
        }
        int last = network.decoderLayers().size() - 1;
        for (int i = 0; i < last; i++) {
            Slot decoderLayer = network.decoderLayers().get(i);
            String inside = decoderLayer.path() + ".";
            if (isChanged(decoderLayer, layers) || network.slots().stream()
                    .anyMatch(slot -> slot.path().startsWith(inside) && isChanged(slot, layers))) {
                return i;
            }
        }
        return Math.max(0, last);
    }

    private static boolean isChanged(Slot slot, LayerSelection layers) {
        return layers.at(slot) != slot.layer();
    }

    /** Makes an array of a type and shape. */
    @FunctionalInterface
    private interface Memory {
        INDArray take(DataType type, long... shape);
    }

    /** Computes the states of sequences, and puts those of each under its token ids. */
    private void compute(ModelLease model, LayerSelection layers, Workspace workspace,
            List<TokenSequence> sequences, Memory memory, Map<int[], INDArray> results) {
        PackedBatch packed = model.network().pack(sequences);
        try (Tape tape = workspace.inference(model.network().description().activationType())) {
            INDArray found = model.network().statesBefore(
                    ForwardContext.evaluation(tape, packed, layers), layer).value();
            for (int i = 0; i < sequences.size(); i++) {
                int[] rows = packed.rowsOf(i);
                INDArray own = memory.take(found.dataType(), rows.length, Arrays.columns(found));
                tape.kernels().gatherRows(found, rows, own);
                results.put(sequences.get(i).ids(), own);
            }
        }
    }

    /** The states of the batch's rows, from those of its sequences. */
    private static INDArray packed(Map<int[], INDArray> known, PackedBatch batch, Arena arena) {
        INDArray first = known.get(batch.sequences().get(0).ids());
        INDArray states = arena.allocate(first.dataType(), batch.rows(), Arrays.columns(first));
        long rowBytes = bytes(first) / Arrays.rows(first);
        for (int i = 0; i < batch.sequences().size(); i++) {
            long from = Arrays.address(known.get(batch.sequences().get(i).ids()));
            int[] rows = batch.rowsOf(i);
            for (int row = 0; row < rows.length; row++) {
                NativeMemory.copy(from + row * rowBytes, Arrays.address(states) + rows[row] * rowBytes, rowBytes);
            }
        }
        return states;
    }

    private static long bytes(INDArray array) {
        return array.length() * Arrays.bytes(array.dataType());
    }

    /** Bytes of what is kept. */
    public long keptBytes() {
        return keptBytes;
    }

    /** Bytes of what will be kept when all examples have come, where a layer is left as it is. */
    public long plannedBytes() {
        return plannedBytes;
    }

    private void clear() {
        for (Group group : groups.values()) {
            group.states.values().forEach(INDArray::close);
            group.states.clear();
        }
        keptBytes = 0;
    }

    @Override
    public void close() {
        clear();
    }
}
