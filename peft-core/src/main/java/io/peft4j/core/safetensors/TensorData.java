package io.peft4j.core.safetensors;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.RowEncoder;
import io.peft4j.core.weight.RowReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;

/**
 * A tensor to be written: element type, shape, and what produces its bytes when the file is written.
 */
public final class TensorData {
    private static final int TILE_BYTES = 1 << 16;

    private final DType dtype;
    private final long[] shape;
    private final Bytes bytes;

    private TensorData(DType dtype, long[] shape, Bytes bytes) {
        this.dtype = dtype;
        this.shape = shape.clone();
        this.bytes = bytes;
        length();
    }

    private interface Bytes {
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * A tensor of raw bytes. The buffer is read when the file is written; its position is not moved.
     *
     * @param bytes the elements in c order, little-endian, from the buffer's position to its limit
     * @throws IllegalArgumentException when the number of bytes is not what type and shape need
     */
    public static TensorData of(DType dtype, long[] shape, ByteBuffer bytes) {
        TensorData data = new TensorData(dtype, shape, out -> {
            byte[] tile = new byte[TILE_BYTES];
            ByteBuffer rest = bytes.duplicate();
            while (rest.hasRemaining()) {
                int n = Math.min(tile.length, rest.remaining());
                rest.get(tile, 0, n);
                out.write(tile, 0, n);
            }
        });
        if (data.length() != bytes.remaining()) {
            throw new IllegalArgumentException(dtype + Arrays.toString(shape) + " needs " + data.length()
                    + " bytes, not " + bytes.remaining());
        }
        return data;
    }

    /**
     * A tensor of 32-bit floats. The values are read when the file is written.
     *
     * @throws IllegalArgumentException when the number of values is not the product of the dimensions
     */
    public static TensorData f32(long[] shape, float[] values) {
        TensorData data = new TensorData(DType.F32, shape, out -> {
            ByteBuffer tile = ByteBuffer.allocate(TILE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (int done = 0; done < values.length; done += TILE_BYTES / 4) {
                int n = Math.min(TILE_BYTES / 4, values.length - done);
                tile.asFloatBuffer().put(values, done, n);
                out.write(tile.array(), 0, 4 * n);
            }
        });
        if (data.length() != 4L * values.length) {
            throw new IllegalArgumentException(Arrays.toString(shape) + " needs " + data.length() / 4 + " values, not "
                    + values.length);
        }
        return data;
    }

    /**
     * A matrix or a vector whose values are read row by row when the file is written, so that none is held twice.
     *
     * @param dtype F32, F16 or BF16
     * @param shape [rows, columns], or [columns] of a vector, which is one row
     * @param rows gives the values
     * @throws IllegalArgumentException when the type is another
     */
    public static TensorData rows(DType dtype, long[] shape, RowReader rows) {
        int columns = Math.toIntExact(shape[shape.length - 1]);
        int count = 1;
        for (int i = 0; i < shape.length - 1; i++) {
            count = Math.multiplyExact(count, Math.toIntExact(shape[i]));
        }
        int rowCount = count;
        RowEncoder encoder = new RowEncoder(BlockType.valueOf(dtype.name()), columns);
        return new TensorData(dtype, shape, out -> {
            float[] row = new float[columns];
            for (int i = 0; i < rowCount; i++) {
                rows.readRow(i, row);
                out.write(encoder.encode(row));
            }
        });
    }

    /**
     * A tensor of 32-bit integers.
     *
     * @throws IllegalArgumentException when the number of values is not the product of the dimensions
     */
    public static TensorData i32(long[] shape, int[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(4, values.length)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(values);
        return of(DType.I32, shape, bytes);
    }

    /** Integers as 64 bits each. */
    public static TensorData i64(long[] shape, int[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(8, values.length)).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            bytes.putLong(value);
        }
        return of(DType.I64, shape, bytes.flip());
    }

    /**
     * A tensor from an array, in the array's own type. The array is read when the file is written; a view or one in f
     * order is copied first.
     *
     * @param array an array of DOUBLE, FLOAT, HALF, BFLOAT16, INT64, INT32, INT16, INT8, UINT8 or BOOL
     * @throws IllegalArgumentException when the array has another type
     */
    public static TensorData of(INDArray array) {
        DType dtype = switch (array.dataType()) {
            case DOUBLE -> DType.F64;
            case FLOAT -> DType.F32;
            case HALF -> DType.F16;
            case BFLOAT16 -> DType.BF16;
            case LONG -> DType.I64;
            case INT -> DType.I32;
            case SHORT -> DType.I16;
            case BYTE -> DType.I8;
            case UBYTE -> DType.U8;
            case BOOL -> DType.BOOL;
            default -> throw new IllegalArgumentException(
                    "An array of type " + array.dataType() + " cannot be written; cast it first");
        };
        return new TensorData(dtype, array.shape(), out -> writeArray(array, dtype.bytes(), out));
    }

    /** The element type. */
    public DType dtype() {
        return dtype;
    }

    /** The dimensions. */
    public long[] shape() {
        return shape.clone();
    }

    /** The size of the data. */
    public long length() {
        long elements = 1;
        for (long dimension : shape) {
            if (dimension < 0) {
                throw new IllegalArgumentException("The shape " + Arrays.toString(shape) + " has a negative dimension");
            }
            elements = Math.multiplyExact(elements, dimension);
        }
        return Math.multiplyExact(elements, (long) dtype.bytes());
    }

    void writeTo(OutputStream out) throws IOException {
        bytes.writeTo(out);
    }

    private static void writeArray(INDArray array, int elementBytes, OutputStream out) throws IOException {
        if (array.isEmpty()) {
            return;
        }
        // A contiguous array is written from where it lies; a copy in c order is contiguous whatever the array was.
        boolean plain = array.ordering() == 'c' && Shape.hasDefaultStridesForShape(array);
        INDArray contiguous = plain ? array : array.dup('c');
        try {
            long address = io.peft4j.core.array.Arrays.address(contiguous);
            long length = array.length() * elementBytes;
            byte[] tile = new byte[(int) Math.min(TILE_BYTES, length)];
            for (long done = 0; done < length; done += tile.length) {
                int n = (int) Math.min(tile.length, length - done);
                NativeMemory.read(address + done, tile, 0, n);
                out.write(tile, 0, n);
            }
        } finally {
            if (!plain) {
                contiguous.close();
            }
        }
    }

    @Override
    public String toString() {
        return dtype + " " + Arrays.toString(shape);
    }
}
