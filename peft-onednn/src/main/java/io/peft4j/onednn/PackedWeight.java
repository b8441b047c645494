package io.peft4j.onednn;

import io.peft4j.core.array.NativeMemory;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A copy of a frozen weight for products of few rows, cut into slices of output features, of which each is one task.
 * Owns its memory.
 */
abstract class PackedWeight implements AutoCloseable {
    private static final int UNIT = 32;
    /** Output features of a weight that is cut into more slices than there are threads. */
    private static final int LARGE = 1 << 13;
    private static final int SLICES_OF_LARGE = 4;
    private static final long ALIGNMENT = 64;

    private final int rows;
    private final int columns;
    private final int size;
    private final long memory;
    private final long base;
    private final long sliceBytes;

    /**
     * A copy whose memory is not filled yet.
     *
     * @param bytesOf the bytes of a slice of so many output features
     */
    PackedWeight(int rows, int columns, int threads, java.util.function.IntToLongFunction bytesOf) {
        this.rows = rows;
        this.columns = columns;
        int wanted = rows >= LARGE ? SLICES_OF_LARGE * threads : threads;
        this.size = ((rows + wanted - 1) / wanted + UNIT - 1) / UNIT * UNIT;
        this.sliceBytes = (bytesOf.applyAsLong(Math.min(size, rows)) + ALIGNMENT - 1) & -ALIGNMENT;
        this.memory = NativeMemory.allocate(sliceBytes * slices() + ALIGNMENT);
        this.base = (memory + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /** Output features. */
    final int rows() {
        return rows;
    }

    /** Input features. */
    final int columns() {
        return columns;
    }

    final int slices() {
        return (rows + size - 1) / size;
    }

    /** The first output feature of a slice. */
    final int first(int slice) {
        return slice * size;
    }

    /** Output features of a slice. */
    final int count(int slice) {
        return Math.min(size, rows - first(slice));
    }

    final long address(int slice) {
        return base + slice * sliceBytes;
    }

    /** Prepares a slice of the weight; false where that cannot be done with its values. */
    abstract boolean pack(Lane lane, int slice);

    /** Whether {@link #multiply} takes x in any type and without rows of zeros. */
    boolean takesRowsAsTheyAre() {
        return false;
    }

    /** The type of x in {@link #multiply} unless it takes rows as they are. */
    DataType rowType() {
        return DataType.FLOAT;
    }

    /**
     * Computes a slice's columns of {@code y = x W^T (+ y)}.
     *
     * @param x of {@link #rowType} [padded, columns]; rows from {@code rows} on are zeros. Where it
     *     {@link #takesRowsAsTheyAre} FLOAT or BFLOAT16 [rows, columns]
     * @param y all columns of the result [rows, output features]
     */
    abstract void multiply(Lane lane, int slice, Span x, int rows, int padded, Span y, boolean accumulate);

    @Override
    public void close() {
        NativeMemory.free(memory);
    }
}
