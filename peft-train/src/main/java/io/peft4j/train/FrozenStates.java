package io.peft4j.train;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What enters the first decoder layer that an adapter changes, kept for the examples of a training from epoch to epoch.
 * All before that layer is the base model without dropout: it gives the same every time and is computed once.
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
    private long keptBytes;

    /** Examples that are computed together, and where their states lie when they have been. */
    private static final class Group {
        private final List<TokenSequence> examples = new ArrayList<>();
        private final Map<int[], Long> addresses = new IdentityHashMap<>();
    }

    private FrozenStates() {
    }

    /** Keeps nothing; all passes begin with the embedding. */
    static FrozenStates none() {
        return new FrozenStates();
    }

    /**
     * Keeps as much as a quarter of the model's weights takes.
     *
     * @param examples all that will come, the same objects; the first of them are kept
     * @param together how many are computed together
     */
    static FrozenStates of(ModelDescription model, List<TokenSequence> examples, int together) {
        long weights = model.parameters() * Arrays.bytes(model.activationType());
        return upTo(weights / SHARE, model, examples, together);
    }

    /** As the other, with the number of bytes that are kept at most. */
    static FrozenStates upTo(long bytes, ModelDescription model, List<TokenSequence> examples, int together) {
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
            }
        }
        return states;
    }

    /**
     * The pass, begun at the first layer that is changed where there is something to save. The states lie in the
     * pass's arena.
     */
    ForwardContext start(LanguageModel model, ForwardContext context) {
        PackedBatch batch = context.batch();
        int changed = groups.isEmpty() || batch.sequences().isEmpty() ? 0
                : firstChanged(model.network(), context.layers());
        if (changed == 0) {
            return context;
        }
        if (changed != layer) {
            clear();
            layer = changed;
            LOG.info("no adapter changes the first {} decoder layers: what they give is computed once for {} examples "
                    + "and kept", layer, groups.size());
        }
        Arena arena = context.tape().arena();
        ModelDescription sizes = model.network().description();
        INDArray states = arena.allocate(sizes.activationType(), batch.rows(), sizes.hiddenSize());
        List<Integer> others = new ArrayList<>();
        for (int i = 0; i < batch.sequences().size(); i++) {
            int[] example = batch.sequences().get(i).ids();
            Group group = groups.get(example);
            if (group == null) {
                others.add(i);
                continue;
            }
            if (group.addresses.isEmpty()) {
                compute(model, arena, group);
            }
            scatter(group.addresses.get(example), batch.rowsOf(i), states);
        }
        computeOthers(model, arena, batch, others, states);
        return context.startingWith(new ForwardContext.LayerStates(layer, states));
    }

    /** The number of the first decoder layer that is not as in the base; 0 also where there is no telling. */
    private static int firstChanged(CausalNetwork network, LayerSelection layers) {
        if (layers.virtualTokens() > 0 || isChanged(network.embedding(), layers)) {
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

    /** Gives the states of sequences to {@code reader} while they are there. */
    private void compute(LanguageModel model, Arena arena, PackedBatch sequences, Consumer<INDArray> reader) {
        try (Tape tape = Tape.inference(model.kernels(), arena, model.network().description().activationType())) {
            reader.accept(model.network().statesBefore(
                    ForwardContext.evaluation(tape, sequences, LayerSelection.BASE), layer).value());
        }
    }

    private void compute(LanguageModel model, Arena arena, Group group) {
        PackedBatch packed = PackedBatch.sharingPrefixes(group.examples);
        compute(model, arena, packed, found -> {
            for (int i = 0; i < group.examples.size(); i++) {
                int[] rows = packed.rowsOf(i);
                long address = NativeMemory.allocate(rows.length * rowBytes(found));
                group.addresses.put(group.examples.get(i).ids(), address);
                keptBytes += rows.length * rowBytes(found);
                for (int row = 0; row < rows.length; row++) {
                    NativeMemory.copy(rowAddress(found, rows[row]), address + row * rowBytes(found), rowBytes(found));
                }
            }
        });
    }

    /** Puts the states of sequences of the batch that are not kept where they belong. */
    private void computeOthers(LanguageModel model, Arena arena, PackedBatch batch, List<Integer> others,
            INDArray states) {
        if (others.isEmpty()) {
            return;
        }
        PackedBatch packed = PackedBatch.sharingPrefixes(others.stream().map(batch.sequences()::get).toList());
        compute(model, arena, packed, found -> {
            for (int i = 0; i < others.size(); i++) {
                copy(found, packed.rowsOf(i), states, batch.rowsOf(others.get(i)));
            }
        });
    }

    private static void scatter(long address, int[] rows, INDArray states) {
        for (int i = 0; i < rows.length; i++) {
            NativeMemory.copy(address + i * rowBytes(states), rowAddress(states, rows[i]), rowBytes(states));
        }
    }

    private static void copy(INDArray from, int[] fromRows, INDArray to, int[] toRows) {
        for (int i = 0; i < fromRows.length; i++) {
            NativeMemory.copy(rowAddress(from, fromRows[i]), rowAddress(to, toRows[i]), rowBytes(to));
        }
    }

    private static long rowAddress(INDArray matrix, int row) {
        return Arrays.address(matrix) + row * rowBytes(matrix);
    }

    private static long rowBytes(INDArray matrix) {
        return (long) Arrays.columns(matrix) * Arrays.bytes(matrix.dataType());
    }

    /** Bytes of what is kept. */
    long keptBytes() {
        return keptBytes;
    }

    private void clear() {
        for (Group group : groups.values()) {
            group.addresses.values().forEach(NativeMemory::free);
            group.addresses.clear();
        }
        keptBytes = 0;
    }

    @Override
    public void close() {
        clear();
    }
}
