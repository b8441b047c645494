package io.peft4j.onednn;

import io.peft4j.core.weight.FrozenWeight;
import java.util.Optional;
import java.util.function.IntToLongFunction;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A layout of a frozen weight for products of few rows, cut into slices of output features, of which each is one task.
 * The memory of a copy in this layout is {@link PackedCopies}'.
 */
abstract class PackedWeight {
    private static final int UNIT = 32;
    /** Output features of a weight that is cut into more slices than there are threads. */
    private static final int LARGE = 1 << 13;
    private static final int SLICES_OF_LARGE = 4;
    private static final long ALIGNMENT = 64;

    private final int rows;
    private final int columns;
    private final int size;
    private final long sliceBytes;

    /**
     * A layout.
     *
     * @param bytesOf the bytes of a slice of so many output features
     */
    PackedWeight(int rows, int columns, int threads, IntToLongFunction bytesOf) {
        this.rows = rows;
        this.columns = columns;
        int wanted = rows >= LARGE ? SLICES_OF_LARGE * threads : threads;
        this.size = ((rows + wanted - 1) / wanted + UNIT - 1) / UNIT * UNIT;
        this.sliceBytes = (bytesOf.applyAsLong(Math.min(size, rows)) + ALIGNMENT - 1) & -ALIGNMENT;
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

    /** The bytes of a slice's copy, 0 where the weight is read where it lies. */
    final long sliceBytes() {
        return sliceBytes;
    }

    /**
     * Writes a slice's copy to memory of {@link #sliceBytes}; false where that cannot be done with its values.
     *
     * @param w the weight, which is not held here: a copy must not keep it in reach
     */
    abstract boolean pack(ThreadContext lane, FrozenWeight w, int slice, long copy);

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
     * @param copy what {@link #pack} has written for the slice
     * @param x of {@link #rowType} [padded, columns]; rows from {@code rows} on are zeros. Where it
     *     {@link #takesRowsAsTheyAre} FLOAT or BFLOAT16 [rows, columns]
     * @param y all columns of the result [rows, output features]
     */
    abstract void multiply(ThreadContext lane, int slice, long copy, Span x, int rows, int padded, Span y,
            boolean accumulate);

    /** Copies rows and converts them. */
    static void copy(ThreadContext lane, Span from, int fromRow, Span to, int toRow, int rows, int count) {
        Optional<CompiledCall> call = lane.call(
                new CopySpec(from.type(), to.type(), 1, rows, count, rows * fromRow, fromRow, rows * toRow, toRow));
        if (call.isPresent()) {
            call.get().run(lane, from.address(), to.address());
            return;
        }
        for (int i = 0; i < rows; i++) {
            Vectors.convert(lane, from.from((long) i * fromRow), to.from((long) i * toRow), count);
        }
    }
}
