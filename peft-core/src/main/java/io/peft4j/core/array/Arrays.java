package io.peft4j.core.array;

import java.util.stream.LongStream;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Creating, reading and converting the engine's arrays: ND4J arrays in c order, contiguous, of type FLOAT or BFLOAT16.
 *
 * <p>Arrays made here live outside of any workspace until {@link INDArray#close()}; temporaries of a step come from an
 * {@link Arena} instead.
 */
public final class Arrays {
    private static final int TILE = 4096;

    private Arrays() {
    }

    /** A new array whose elements are zero. */
    public static INDArray zeros(DataType type, long... shape) {
        INDArray array = Nd4j.createUninitializedDetached(type, shape);
        clear(array);
        return array;
    }

    /**
     * A new array whose elements are zero, for much memory of which perhaps little is used: the system gives it where
     * it is first written to. {@link #release} frees it, not {@code close()}.
     */
    public static INDArray reserve(DataType type, long... shape) {
        long bytes = LongStream.of(shape).reduce(bytes(type), Math::multiplyExact);
        return wrap(NativeMemory.pointer(NativeMemory.reserve(bytes), bytes), type, shape);
    }

    /** Frees an array that {@link #reserve} gave; once, and it must not be used afterwards. */
    public static void release(INDArray reserved) {
        NativeMemory.free(address(reserved));
    }

    /** An array over memory that other code owns and keeps: closing the array frees nothing. */
    public static INDArray at(long address, DataType type, long... shape) {
        long bytes = LongStream.of(shape).reduce(bytes(type), Math::multiplyExact);
        return wrap(NativeMemory.pointer(address, bytes), type, shape);
    }

    /** A new FLOAT array of the given shape that holds a copy of {@code values}, in c order. */
    public static INDArray of(float[] values, long... shape) {
        requireLength(values.length, shape);
        INDArray array = Nd4j.createUninitializedDetached(DataType.FLOAT, shape);
        NativeMemory.write(address(array), values, 0, values.length);
        return array;
    }

    /** Sets all elements to zero. */
    public static void clear(INDArray array) {
        NativeMemory.clear(address(array), array.length() * bytes(array.dataType()));
    }

    /** Copies all elements to an array of the same type and length. */
    public static void copy(INDArray from, INDArray to) {
        if (from.dataType() != to.dataType() || from.length() != to.length()) {
            throw new IllegalArgumentException("cannot copy " + from.shapeInfoToString() + " to "
                    + to.shapeInfoToString());
        }
        NativeMemory.copy(address(from), address(to), from.length() * bytes(from.dataType()));
    }

    /** The address of the first element. */
    public static long address(INDArray array) {
        return array.data().pointer().address() + array.offset() * array.data().getElementSize();
    }

    /** Rows {@code from} (inclusive) to {@code to} (exclusive) of a matrix, as a view of the same memory. */
    public static INDArray rowRange(INDArray matrix, int from, int to) {
        if (from < 0 || to <= from || to > rows(matrix)) {
            throw new IndexOutOfBoundsException("rows " + from + " to " + to + " of a matrix of " + rows(matrix));
        }
        long rowBytes = (long) columns(matrix) * bytes(matrix.dataType());
        return wrap(NativeMemory.pointer(address(matrix) + from * rowBytes, (to - from) * rowBytes), matrix.dataType(),
                to - from, columns(matrix));
    }

    /** The elements of an array in another shape, as a view of the same memory. */
    public static INDArray reshaped(INDArray array, long... shape) {
        requireLength(array.length(), shape);
        return wrap(NativeMemory.pointer(address(array), array.length() * bytes(array.dataType())), array.dataType(),
                shape);
    }

    /** The number of rows of a matrix, the length of a vector. */
    public static int rows(INDArray array) {
        return Math.toIntExact(array.size(0));
    }

    /** The number of columns of a matrix. */
    public static int columns(INDArray array) {
        return Math.toIntExact(array.size(1));
    }

    /** Bytes of one element of a type the engine computes with. */
    public static int bytes(DataType type) {
        return switch (type) {
            case FLOAT, INT -> 4;
            case BFLOAT16 -> 2;
            default -> throw new IllegalArgumentException("unsupported array type " + type + "; supported are "
                    + "FLOAT, BFLOAT16, and INT for token ids");
        };
    }

    /** All elements in c order as floats; the array is FLOAT or BFLOAT16. */
    public static float[] toFloats(INDArray array) {
        float[] values = new float[Math.toIntExact(array.length())];
        read(array, 0, values, 0, values.length);
        return values;
    }

    /** Reads {@code count} elements from element {@code first} on into {@code target} as floats. */
    public static void read(INDArray array, long first, float[] target, int offset, int count) {
        requireRange(array, first, count);
        if (array.dataType() == DataType.FLOAT) {
            NativeMemory.read(address(array) + 4 * first, target, offset, count);
            return;
        }
        requireBFloat16(array);
        short[] tile = new short[Math.min(TILE, count)];
        for (int done = 0; done < count; done += tile.length) {
            int n = Math.min(tile.length, count - done);
            NativeMemory.read(address(array) + 2 * (first + done), tile, 0, n);
            BFloat16.toFloats(tile, 0, target, offset + done, n);
        }
    }

    /** Writes {@code count} floats to the elements from {@code first} on, rounded where the array is BFLOAT16. */
    public static void write(INDArray array, long first, float[] source, int offset, int count) {
        requireRange(array, first, count);
        if (array.dataType() == DataType.FLOAT) {
            NativeMemory.write(address(array) + 4 * first, source, offset, count);
            return;
        }
        requireBFloat16(array);
        short[] tile = new short[Math.min(TILE, count)];
        for (int done = 0; done < count; done += tile.length) {
            int n = Math.min(tile.length, count - done);
            BFloat16.fromFloats(source, offset + done, tile, 0, n);
            NativeMemory.write(address(array) + 2 * (first + done), tile, 0, n);
        }
    }

    /** Values in double. */
    public static double[] doubles(float[] values) {
        double[] result = new double[values.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = values[i];
        }
        return result;
    }

    /** Values rounded to float. */
    public static float[] floats(double[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (float) values[i];
        }
        return result;
    }

    /** An array header over native memory that other code owns and keeps alive. */
    static INDArray wrap(Pointer memory, DataType type, long... shape) {
        long length = LongStream.of(shape).reduce(1, Math::multiplyExact);
        return Nd4j.create(Nd4j.createBuffer(memory, length, type), shape, Nd4j.getStrides(shape, 'c'), 0, 'c', type);
    }

    private static void requireLength(long length, long... shape) {
        if (LongStream.of(shape).reduce(1, Math::multiplyExact) != length) {
            throw new IllegalArgumentException(length + " values do not fill the shape "
                    + java.util.Arrays.toString(shape));
        }
    }

    private static void requireRange(INDArray array, long first, long count) {
        if (first < 0 || count < 0 || first + count > array.length()) {
            throw new IndexOutOfBoundsException("elements " + first + " to " + (first + count)
                    + " of an array of length " + array.length());
        }
    }

    private static void requireBFloat16(INDArray array) {
        if (array.dataType() != DataType.BFLOAT16) {
            throw new IllegalArgumentException("expected FLOAT or BFLOAT16, got " + array.dataType());
        }
    }

    /** The transpose of a matrix in c order, [columns, rows]. */
    public static float[] transposed(float[] values, int rows, int columns) {
        float[] result = new float[values.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                result[j * rows + i] = values[i * columns + j];
            }
        }
        return result;
    }

    /** Whether no value of a FLOAT array is NaN or infinite. */
    public static boolean isFinite(INDArray array) {
        float[] tile = new float[(int) Math.min(1 << 14, array.length())];
        for (long done = 0; done < array.length(); done += tile.length) {
            int n = (int) Math.min(tile.length, array.length() - done);
            read(array, done, tile, 0, n);
            for (int i = 0; i < n; i++) {
                if (!Float.isFinite(tile[i])) {
                    return false;
                }
            }
        }
        return true;
    }
}
