package io.peft4j.core.weight;

import io.peft4j.core.Internal;
import io.peft4j.core.array.NativeMemory;
import java.util.Objects;

/**
 * A frozen matrix of signed bytes with one scale a row (output feature): {@code W[o][i] = scale[o] * q[o][i]}, as in
 * <a href="https://arxiv.org/abs/2208.07339">2208.07339</a> but for all columns. A quarter of the memory of f32.
 *
 * <p>A row is rounded with {@code scale = max |W[o]| / 127}: symmetric, so that 0 stays 0, and off by at most half a
 * scale. Activations stay floats; both {@code x W^T} and its gradient {@code dy W} need one factor an output feature,
 * which is never inside the sum of the first and can be moved into dy for the second.
 *
 * <p>The memory is its own. It is filled by {@link #quantizeRow} before anything reads it, each row once; rows may be
 * filled by several threads.
 */
@Internal(shared = true)
public final class Int8Weight implements FrozenWeight {
    /** The largest magnitude of a quantized value; -128 is not used, so that negation is exact. */
    public static final int LARGEST = 127;

    /** Added to a number of magnitude below 2^22, its lowest bits become the nearest integer, ties to even. */
    private static final float ROUNDING = 0x1.8p23f;

    private final int rows;
    private final int columns;
    private final long values;
    private final long scales;
    private final float[] scaleOfRow;
    private boolean closed;

    /**
     * A matrix whose values are undefined until {@link #quantizeRow} has written them.
     *
     * @param rows output features
     * @param columns input features
     */
    public Int8Weight(int rows, int columns) {
        if (rows <= 0 || columns <= 0) {
            throw new IllegalArgumentException("a weight has at least one row and column, got " + rows + " x "
                    + columns);
        }
        this.rows = rows;
        this.columns = columns;
        this.scaleOfRow = new float[rows];
        // One block: a failure in between would leave the first behind.
        long scaleBytes = (4L * rows + 63) & -64;
        this.scales = NativeMemory.allocate(scaleBytes + (long) rows * columns);
        this.values = scales + scaleBytes;
    }

    /** A matrix rounded from floats {@code [rows, columns]} in c order. */
    public static Int8Weight of(float[] values, int rows, int columns) {
        Objects.checkFromIndexSize(0, Math.multiplyExact(rows, columns), values.length);
        Int8Weight weight = new Int8Weight(rows, columns);
        for (int i = 0; i < rows; i++) {
            weight.quantizeRow(i, values, i * columns);
        }
        return weight;
    }

    /**
     * Rounds the floats of a row.
     *
     * @param row the row
     * @param source holds the row's values from {@code offset} on
     * @param offset the first of them
     * @throws IllegalArgumentException when a value is infinite or NaN, which no byte can stand for
     */
    public void quantizeRow(int row, float[] source, int offset) {
        Objects.checkIndex(row, rows);
        Objects.checkFromIndexSize(offset, columns, source.length);
        float largest = largest(source, offset, columns);
        float scale = largest / LARGEST;
        // Numbers so small that their scale has no reciprocal are 0 beside anything else a model computes.
        float inverse = scale < Float.MIN_NORMAL ? 0 : 1 / scale;
        byte[] bytes = new byte[columns];
        for (int j = 0; j < columns; j++) {
            bytes[j] = (byte) Float.floatToRawIntBits(source[offset + j] * inverse + ROUNDING);
        }
        scaleOfRow[row] = scale;
        NativeMemory.write(values + (long) row * columns, bytes, 0, columns);
        NativeMemory.write(scales + 4L * row, scaleOfRow, row, 1);
    }

    private static float largest(float[] source, int offset, int count) {
        float largest = 0;
        // Times 0 what is finite becomes 0, what is not becomes NaN.
        float nothing = 0;
        for (int j = 0; j < count; j++) {
            largest = Math.max(largest, Math.abs(source[offset + j]));
            nothing += 0 * source[offset + j];
        }
        if (nothing != 0) {
            throw new IllegalArgumentException("a row has values that are infinite or not a number");
        }
        return largest;
    }

    /** The address of the bytes, {@code [rows, columns]} without gaps; valid until this is closed. */
    public long values() {
        return values;
    }

    /** The address of the scales, 32-bit floats {@code [rows]}; valid until this is closed. */
    public long scales() {
        return scales;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
    public boolean isQuantized() {
        return true;
    }

    @Override
    public String typeName() {
        return "INT8";
    }

    @Override
    public long bytes() {
        return (long) rows * columns + 4L * rows;
    }

    @Override
    public void readRow(int row, float[] target, int offset) {
        read(row, 0, columns, target, offset, new byte[columns]);
    }

    /**
     * Reads a part of a row as floats.
     *
     * @param row the row
     * @param from the first column
     * @param to the column after the last
     * @param target where the values go
     * @param offset where in the target to begin
     * @param bytes scratch memory of at least {@code to - from} elements
     */
    public void read(int row, int from, int to, float[] target, int offset, byte[] bytes) {
        Objects.checkIndex(row, rows);
        Objects.checkFromToIndex(from, to, columns);
        int count = to - from;
        Objects.checkFromIndexSize(offset, count, target.length);
        float scale = scaleOfRow[row];
        NativeMemory.read(values + (long) row * columns + from, bytes, 0, count);
        for (int j = 0; j < count; j++) {
            target[offset + j] = bytes[j] * scale;
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            NativeMemory.free(scales);
        }
    }

    @Override
    public String toString() {
        return "INT8 [" + rows + ", " + columns + "]";
    }
}
