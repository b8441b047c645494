package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.io.Closer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the layers of a network remember of the tokens seen so far, each in its way ({@link LayerMemory}): a row for
 * each token, where attention layers have keys and values [rows, key/value heads x D], and other layers the state after
 * it, where one was kept. Which rows belong to which sequence is decided by who builds the batch
 * ({@link PackedBatch#cacheRows()}). A row that is written again loses the state after it. Owns native memory.
 */
@Internal(shared = true)
public final class KvCache implements AutoCloseable {
    private final Map<Integer, INDArray> keys = new TreeMap<>();
    private final Map<Integer, INDArray> values = new TreeMap<>();
    /** Layers that have the keys and values of another one. */
    private final Map<Integer, Integer> sources = new TreeMap<>();
    private final Map<Integer, RowStates> states = new TreeMap<>();
    private int rows;
    private boolean holdsSource;
    private final BitSet pasts = new BitSet();
    private final List<LayerMemory> layers;
    private final DataType type;
    private final Map<String, KvCache> beside = new TreeMap<>();

    /**
     * An empty cache of a network whose layers are all attention layers of one width.
     *
     * @param layers number of attention layers
     * @param rows tokens that fit
     * @param columns key/value heads x D
     * @param type FLOAT or BFLOAT16
     */
    public KvCache(int layers, int rows, int columns, DataType type) {
        this(Collections.nCopies(layers, new LayerMemory.KeysAndValues(columns)), rows, type);
    }

    /**
     * An empty cache.
     *
     * @param layers what each layer remembers
     * @param rows tokens that fit
     * @param type of keys and values, FLOAT or BFLOAT16
     */
    public KvCache(List<? extends LayerMemory> layers, int rows, DataType type) {
        this.rows = rows;
        this.layers = List.copyOf(layers);
        this.type = type;
        try (Closer opened = new Closer()) {
            opened.add(this);
            for (int i = 0; i < layers.size(); i++) {
                add(i, layers.get(i));
            }
            opened.keep();
        }
    }

    private void add(int layer, LayerMemory memory) {
        if (memory instanceof LayerMemory.KeysAndValues own) {
            keys.put(layer, Arrays.reserve(type, rows, own.columns()));
            values.put(layer, Arrays.reserve(type, rows, own.columns()));
        } else if (memory instanceof LayerMemory.Shared shared) {
            sources.put(layer, shared.layer());
        } else if (memory instanceof LayerMemory.State own && !own.parts().isEmpty()) {
            states.put(layer, new RowStates(own));
        } else if (memory instanceof LayerMemory.Both both) {
            add(layer, both.tokens());
            add(layer, both.state());
        }
    }

    int layers() {
        return layers.size();
    }

    /**
     * Keys, values and states that another pass over the same tokens computes, in the same rows; made when first asked
     * for.
     *
     * @param name of that pass
     * @param count of how many layers, the first ones, or of all where there are fewer
     */
    public KvCache beside(String name, int count) {
        return beside.computeIfAbsent(name,
                other -> new KvCache(layers.subList(0, Math.min(count, layers.size())), rows, type));
    }

    // ---- states

    /**
     * Whether there are layers with a state: then a sequence continues only behind a row after which one was kept, as
     * it is after the last row of each segment of a pass.
     */
    public boolean hasStates() {
        return !states.isEmpty();
    }

    /** Whether a sequence can go on behind a row. */
    public boolean continuesAfter(int row) {
        return states.values().stream().allMatch(layer -> layer.after(row).isPresent())
                && beside.values().stream().allMatch(other -> other.continuesAfter(row));
    }

    /** Gives up the states after all other rows. */
    public void retainStates(IntPredicate wanted) {
        states.values().forEach(layer -> layer.retain(wanted));
        beside.values().forEach(other -> other.retainStates(wanted));
    }

    /** Takes the states after a row for those after another one, which holds the same token behind the same ones. */
    public void moveStates(int from, int to) {
        states.values().forEach(layer -> layer.move(from, to));
        beside.values().forEach(other -> other.moveStates(from, to));
    }

    /** The state of a layer after a row. */
    List<INDArray> stateAfter(int layer, int row) {
        return states.get(layer).after(row).orElseThrow(() -> new IllegalStateException("layer " + layer
                + " has kept no state after row " + row));
    }

    List<INDArray> roomForState(int layer, int row) {
        return states.get(layer).room(row);
    }

    void dropStates(int layer, int... written) {
        for (int row : written) {
            states.get(layer).drop(row);
        }
    }

    // ---- keys and values

    /** Whether keys and values of an encoder-decoder's source are there, so that the encoder need not run again. */
    public boolean holdsSource() {
        return holdsSource;
    }

    /** Notes that they are. */
    public void sourceIsStored() {
        holdsSource = true;
    }

    /**
     * Whether keys and values that an adapter puts before all sequences are there in a layer
     * ({@link PackedBatch#afterPast}).
     */
    public boolean holdsPast(int layer) {
        return pasts.get(layer);
    }

    /** Notes that they are. */
    public void pastIsStored(int layer) {
        pasts.set(layer);
    }

    /** Takes over rows {@code from} on of another cache of the same network, and that it holds a past. */
    public void copy(KvCache other, int from, int[] targets) {
        pasts.or(other.pasts);
        for (int layer : targets.length > 0 ? keys.keySet() : Set.<Integer>of()) {
            store(layer, Arrays.rowRange(other.keys(layer), from, from + targets.length),
                    Arrays.rowRange(other.values(layer), from, from + targets.length), targets);
        }
        other.beside.forEach((name, theirs) -> beside(name, theirs.layers()).copy(theirs, from, targets));
        for (int i = 0; i < targets.length; i++) {
            int row = i;
            states.forEach((layer, own) -> own.copy(other.states.get(layer), from + row, targets[row]));
        }
    }

    /** Tokens that fit. */
    public int rows() {
        return rows;
    }

    /**
     * Makes room for more tokens; what is stored stays. Arrays that were handed out before are no longer valid. Where
     * memory is refused, the cache is as before.
     *
     * @param newRows tokens that fit from now on, at least as many as before
     */
    public void grow(int newRows) {
        if (newRows < rows) {
            throw new IllegalArgumentException("a cache of " + rows + " rows cannot shrink to " + newRows);
        }
        beside.values().forEach(other -> other.grow(Math.max(newRows, other.rows)));
        // All arrays are there before one is exchanged: where memory is refused, everything is as before.
        try (KvCache larger = new KvCache(layers, newRows, type)) {
            keys.replaceAll((layer, old) -> moved(old, larger.keys.remove(layer)));
            values.replaceAll((layer, old) -> moved(old, larger.values.remove(layer)));
        }
        rows = newRows;
    }

    private static INDArray moved(INDArray old, INDArray larger) {
        NativeMemory.copy(Arrays.address(old), Arrays.address(larger), old.length() * Arrays.bytes(old.dataType()));
        Arrays.release(old);
        return larger;
    }

    /** The bytes of all keys and values, those {@linkplain #beside beside} among them. */
    public long bytes() {
        return 2 * keys.values().stream().mapToLong(own -> own.length() * Arrays.bytes(own.dataType())).sum()
                + beside.values().stream().mapToLong(KvCache::bytes).sum();
    }

    /** The bytes of the states of all layers after one row, those {@linkplain #beside beside} among them. */
    public long stateBytes() {
        return states.values().stream().mapToLong(RowStates::bytes).sum()
                + beside.values().stream().mapToLong(KvCache::stateBytes).sum();
    }

    /** The keys of layer {@code layer}. */
    public INDArray keys(int layer) {
        return keys.get(sources.getOrDefault(layer, layer));
    }

    /** The values of layer {@code layer}. */
    public INDArray values(int layer) {
        return values.get(sources.getOrDefault(layer, layer));
    }

    /**
     * Stores keys and values of the batch's tokens: row {@code i} goes to cache row {@code targets[i]}. Those of a
     * layer that {@linkplain LayerMemory.Shared has them} from another one are there already.
     *
     * @throws IllegalArgumentException when types or widths differ
     */
    public void store(int layer, INDArray k, INDArray v, int[] targets) {
        if (!sources.containsKey(layer)) {
            copyRows(k, keys.get(layer), targets);
            copyRows(v, values.get(layer), targets);
        }
    }

    private void copyRows(INDArray from, INDArray to, int[] targets) {
        if (from.dataType() != to.dataType() || from.size(1) != to.size(1) || from.size(0) != targets.length) {
            throw new IllegalArgumentException("cannot store " + from.shapeInfoToString() + " in a cache of "
                    + to.shapeInfoToString() + " at " + targets.length + " rows");
        }
        long rowBytes = from.size(1) * Arrays.bytes(from.dataType());
        long source = Arrays.address(from);
        long target = Arrays.address(to);
        for (int i = 0; i < targets.length; i++) {
            Objects.checkIndex(targets[i], to.size(0));
            NativeMemory.copy(source + i * rowBytes, target + targets[i] * rowBytes, rowBytes);
        }
    }

    @Override
    public void close() {
        keys.values().forEach(Arrays::release);
        values.values().forEach(Arrays::release);
        states.values().forEach(RowStates::close);
        beside.values().forEach(KvCache::close);
    }

    /** The states of a layer by the row of the cache after which they hold. Memory of dropped ones is used again. */
    private static final class RowStates implements AutoCloseable {
        private final LayerMemory.State kind;
        private final Map<Integer, List<INDArray>> byRow = new HashMap<>();
        private final Deque<List<INDArray>> spare = new ArrayDeque<>();

        RowStates(LayerMemory.State kind) {
            this.kind = kind;
        }

        /** The bytes of one state. */
        long bytes() {
            return Float.BYTES * kind.parts().stream().mapToLong(part -> (long) part.rows() * part.columns()).sum();
        }

        Optional<List<INDArray>> after(int row) {
            return Optional.ofNullable(byRow.get(row));
        }

        /** Room for the state after a row, whose contents are undefined. */
        List<INDArray> room(int row) {
            drop(row);
            List<INDArray> state = spare.isEmpty() ? made() : spare.pop();
            byRow.put(row, state);
            return state;
        }

        private List<INDArray> made() {
            List<INDArray> arrays = new ArrayList<>();
            try (Closer opened = new Closer()) {
                for (LayerMemory.State.Part part : kind.parts()) {
                    INDArray array = Arrays.reserve(DataType.FLOAT, part.rows(), part.columns());
                    opened.add(() -> Arrays.release(array));
                    arrays.add(array);
                }
                opened.keep();
            }
            return List.copyOf(arrays);
        }

        void drop(int row) {
            List<INDArray> state = byRow.remove(row);
            if (state != null) {
                spare.push(state);
            }
        }

        void retain(IntPredicate rows) {
            for (int row : List.copyOf(byRow.keySet())) {
                if (!rows.test(row)) {
                    drop(row);
                }
            }
        }

        /** Copies the state after a row of another cache's layer, if it is there. */
        void copy(RowStates other, int from, int to) {
            other.after(from).ifPresent(state -> {
                List<INDArray> target = room(to);
                for (int i = 0; i < target.size(); i++) {
                    Arrays.copy(state.get(i), target.get(i));
                }
            });
        }

        /** What is after a row is after another one, which holds the same token behind the same ones. */
        void move(int from, int to) {
            List<INDArray> state = byRow.remove(from);
            if (state != null) {
                drop(to);
                byRow.put(to, state);
            }
        }

        @Override
        public void close() {
            retain(row -> false);
            spare.forEach(state -> state.forEach(Arrays::release));
            spare.clear();
        }
    }
}
