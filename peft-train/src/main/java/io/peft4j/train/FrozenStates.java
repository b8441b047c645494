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
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What enters the first decoder layer that an adapter changes, kept for each example from its first pass on. All before
 * that layer is the base model without dropout: it gives the same in every epoch and is computed once.
 *
 * <p>Examples are told apart by their arrays of token ids, so it is the same objects that have to come again. Those
 * that find no room are computed in each pass. The loss and its gradients are those of a whole pass up to rounding: a
 * batch of other examples may add up the same terms in another order.
 */
final class FrozenStates implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FrozenStates.class);

    private final long mostBytes;
    private final Map<int[], Long> addresses = new IdentityHashMap<>();
    private int layer;
    private long keptBytes;

    private FrozenStates(long mostBytes) {
        this.mostBytes = mostBytes;
    }

    /** Keeps nothing; all passes begin with the embedding. */
    static FrozenStates none() {
        return new FrozenStates(0);
    }

    /** Keeps as much as fits into so many bytes. */
    static FrozenStates upTo(long bytes) {
        return new FrozenStates(bytes);
    }

    /** Keeps as much as a quarter of the model's weights would take in the type of activations. */
    static FrozenStates inProportionTo(ModelDescription model) {
        return upTo(model.parameters() * Arrays.bytes(model.activationType()) / 4);
    }

    /**
     * The pass, begun at the first layer that is changed where there is something to save. The states lie in the
     * pass's arena.
     */
    ForwardContext start(LanguageModel model, ForwardContext context) {
        int changed = mostBytes == 0 ? 0 : firstChanged(model.network(), context.layers());
        if (changed == 0 || context.batch().sequences().isEmpty()) {
            return context;
        }
        if (changed != layer) {
            clear();
            layer = changed;
            LOG.info("no adapter changes the first {} decoder layers: what they give is computed once for each example "
                    + "and kept, in at most {} MB", layer, mostBytes / 1_000_000);
        }
        Arena arena = context.tape().arena();
        ModelDescription sizes = model.network().description();
        INDArray states = arena.allocate(sizes.activationType(), context.batch().rows(), sizes.hiddenSize());
        computeUnknown(model, context.batch(), arena, states);
        for (int i = 0; i < context.batch().sequences().size(); i++) {
            Long address = addresses.get(context.batch().sequences().get(i).ids());
            if (address != null) {
                scatter(address, context.batch().rowsOf(i), states);
            }
        }
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

    /** Computes what is not known of the batch, keeps what there is room for, and puts all of it into the states. */
    private void computeUnknown(LanguageModel model, PackedBatch batch, Arena arena, INDArray states) {
        List<TokenSequence> sequences = batch.sequences();
        List<Integer> unknown = new ArrayList<>();
        for (int i = 0; i < sequences.size(); i++) {
            if (!addresses.containsKey(sequences.get(i).ids())) {
                unknown.add(i);
            }
        }
        if (unknown.isEmpty()) {
            return;
        }
        PackedBatch computed = PackedBatch.sharingPrefixes(unknown.stream().map(sequences::get).toList());
        try (Tape tape = Tape.inference(model.kernels(), arena, states.dataType())) {
            INDArray found = model.network().statesBefore(
                    ForwardContext.evaluation(tape, computed, LayerSelection.BASE), layer).value();
            for (int i = 0; i < unknown.size(); i++) {
                keep(sequences.get(unknown.get(i)).ids(), computed.rowsOf(i), found);
                copy(found, computed.rowsOf(i), states, batch.rowsOf(unknown.get(i)));
            }
        }
    }

    private void keep(int[] example, int[] rows, INDArray found) {
        long bytes = rows.length * rowBytes(found);
        if (keptBytes + bytes > mostBytes || addresses.containsKey(example)) {
            return;
        }
        long address = NativeMemory.allocate(bytes);
        addresses.put(example, address);
        keptBytes += bytes;
        for (int i = 0; i < rows.length; i++) {
            NativeMemory.copy(rowAddress(found, rows[i]), address + i * rowBytes(found), rowBytes(found));
        }
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
        addresses.values().forEach(NativeMemory::free);
        addresses.clear();
        keptBytes = 0;
    }

    @Override
    public void close() {
        clear();
    }
}
