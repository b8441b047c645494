package io.peft4j.core.nn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.support.NativeMemory;
import java.util.BitSet;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Keys and values of the tokens seen so far, a pair of arrays [rows, key/value heads x D] for each layer. Which rows
 * belong to which sequence is decided by who builds the batch ({@link PackedBatch#cacheRows()}). Owns native memory.
 */
public final class KvCache implements AutoCloseable {
    private final INDArray[] keys;
    private final INDArray[] values;
    private int rows;
    private boolean holdsSource;
    private final BitSet pasts = new BitSet();

    /**
     * An empty cache.
     *
     * @param layers number of attention layers
     * @param rows tokens that fit
     * @param columns key/value heads x D
     * @param type FLOAT or BFLOAT16
     */
    public KvCache(int layers, int rows, int columns, DataType type) {
        this.rows = rows;
        keys = new INDArray[layers];
        values = new INDArray[layers];
        for (int i = 0; i < layers; i++) {
            keys[i] = Arrays.reserve(type, rows, columns);
            values[i] = Arrays.reserve(type, rows, columns);
        }
    }

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
        for (int layer = 0; layer < keys.length && targets.length > 0; layer++) {
            store(layer, Arrays.rowRange(other.keys[layer], from, from + targets.length),
                    Arrays.rowRange(other.values[layer], from, from + targets.length), targets);
        }
    }

    /** Tokens that fit. */
    public int rows() {
        return rows;
    }

    /**
     * Makes room for more tokens; what is stored stays. Arrays that were handed out before are no longer valid.
     *
     * @param newRows tokens that fit from now on, at least as many as before
     */
    public void grow(int newRows) {
        if (newRows < rows) {
            throw new IllegalArgumentException("a cache of " + rows + " rows cannot shrink to " + newRows);
        }
        rows = newRows;
        for (int i = 0; i < keys.length; i++) {
            keys[i] = grown(keys[i]);
            values[i] = grown(values[i]);
        }
    }

    private INDArray grown(INDArray old) {
        INDArray larger = Arrays.reserve(old.dataType(), rows, old.size(1));
        NativeMemory.copy(Arrays.address(old), Arrays.address(larger), old.length() * Arrays.bytes(old.dataType()));
        Arrays.release(old);
        return larger;
    }

    /** The bytes of all keys and values. */
    public long bytes() {
        return 2L * keys.length * keys[0].length() * Arrays.bytes(keys[0].dataType());
    }

    /** The keys of layer {@code layer}. */
    public INDArray keys(int layer) {
        return keys[layer];
    }

    /** The values of layer {@code layer}. */
    public INDArray values(int layer) {
        return values[layer];
    }

    /**
     * Stores keys and values of the batch's tokens: row {@code i} goes to cache row {@code targets[i]}.
     *
     * @throws IllegalArgumentException when types or widths differ
     */
    public void store(int layer, INDArray k, INDArray v, int[] targets) {
        copyRows(k, keys[layer], targets);
        copyRows(v, values[layer], targets);
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
            Objects.checkIndex(targets[i], rows);
            NativeMemory.copy(source + i * rowBytes, target + targets[i] * rowBytes, rowBytes);
        }
    }

    @Override
    public void close() {
        for (int i = 0; i < keys.length; i++) {
            Arrays.release(keys[i]);
            Arrays.release(values[i]);
        }
    }
}
