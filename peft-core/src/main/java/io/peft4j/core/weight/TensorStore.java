package io.peft4j.core.weight;

import io.peft4j.core.Internal;
import io.peft4j.core.array.BFloat16;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.error.FileFormatException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Named tensors in a file, whatever its format: what a model is loaded from. The data is mapped and read on demand.
 *
 * <p>All methods that take a name throw {@link FileFormatException} when the file has no such tensor, and those that
 * give values also when the element type cannot be read. Use after {@link #close()} is an {@link
 * IllegalStateException}. Reading is safe from several threads.
 */
@Internal(shared = true)
public interface TensorStore extends AutoCloseable {
    /** How many values are converted at a time on their way to native memory. */
    int TILE = 1 << 14;

    /** The file that was opened. */
    Path path();

    /**
     * The names of all tensors.
     *
     * @return an unmodifiable set in the order of the file
     */
    Set<String> names();

    /**
     * The dimensions of a tensor, as PyTorch gives them: a linear layer's weight is [out, in], the last one is
     * contiguous.
     */
    long[] shape(String name);

    /**
     * How the values of a tensor are stored.
     *
     * @return the type, or empty where it is none that a frozen weight can have (integers, types that are not
     *     supported)
     */
    Optional<BlockType> blockType(String name);

    /** The size of a tensor's data. */
    long length(String name);

    /**
     * Reads a piece of a tensor as the file holds it.
     *
     * @param position the first byte, counted from the tensor's begin
     * @param target where the bytes go
     * @param offset where in the target to begin
     * @param count how many bytes
     * @throws IndexOutOfBoundsException when the range leaves the tensor or the target
     */
    void readBytes(String name, long position, byte[] target, int offset, int count);

    /**
     * Reads a piece of a tensor, converted to floats.
     *
     * @param first the first element, counted in c order
     * @param target where the values go
     * @param offset where in the target to begin
     * @param count how many elements
     * @throws IndexOutOfBoundsException when the range leaves the tensor or the target
     */
    void readFloats(String name, long first, float[] target, int offset, int count);

    /**
     * The bytes of a tensor as the file holds them. The view stays valid after {@link #close()}.
     *
     * @return a read-only little-endian view
     * @throws IllegalArgumentException when it has more than 2 GB; read it in pieces
     */
    ByteBuffer bytes(String name);

    /**
     * The address of a tensor's bytes in the mapped file, for native code that reads them without a copy. It must not
     * be used after {@link #close()}: that crashes the process.
     *
     * @return the address, or empty where the bytes are not in one piece or not aligned to the element type: copy them
     */
    OptionalLong address(String name);

    /** Unmaps and closes all files. */
    @Override
    void close();

    /** The number of values of a tensor. */
    default long elements(String name) {
        long product = 1;
        for (long dimension : shape(name)) {
            product *= dimension;
        }
        return product;
    }

    /**
     * Reads a tensor, converted to floats.
     *
     * @throws IllegalArgumentException when it has more elements than a Java array can hold; read it in pieces
     */
    default float[] readFloats(String name) {
        long elements = elements(name);
        checkReadable(name);
        if (elements > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(name + " has " + elements
                    + " elements, more than a Java array can hold; read it in pieces");
        }
        float[] values = new float[(int) elements];
        readFloats(name, 0, values, 0, values.length);
        return values;
    }

    private void checkReadable(String name) {
        // Reading nothing fails where the type cannot be read, before anything is allocated.
        readFloats(name, 0, new float[0], 0, 0);
    }

    /**
     * Copies a tensor's bytes to native memory as the file holds them.
     *
     * @param address where to write {@link #length} bytes; not checked
     */
    default void copyBytes(String name, long address) {
        long length = length(name);
        byte[] tile = new byte[(int) Math.min(4 * TILE, length)];
        for (long done = 0; done < length; done += tile.length) {
            int n = (int) Math.min(tile.length, length - done);
            readBytes(name, done, tile, 0, n);
            NativeMemory.write(address + done, tile, 0, n);
        }
    }

    /**
     * Reads a tensor into native memory as 32-bit floats.
     *
     * @param address where to write 4 bytes an element; not checked
     */
    default void readF32(String name, long address) {
        if (blockType(name).equals(Optional.of(BlockType.F32))) {
            copyBytes(name, address);
            return;
        }
        readF32(name, 0, elements(name), address);
    }

    /**
     * Reads a piece of a tensor into native memory as 32-bit floats.
     *
     * @param first the first element, counted in c order
     * @param count how many elements
     * @param address where to write 4 bytes an element; not checked
     * @throws IndexOutOfBoundsException when the range leaves the tensor
     */
    default void readF32(String name, long first, long count, long address) {
        float[] tile = new float[(int) Math.min(TILE, count)];
        for (long done = 0; done < count; done += tile.length) {
            int n = (int) Math.min(tile.length, count - done);
            readFloats(name, first + done, tile, 0, n);
            NativeMemory.write(address + 4 * done, tile, 0, n);
        }
    }

    /**
     * Reads a tensor into native memory as bfloat16. Other types are rounded to nearest even; BF16 is copied as it is.
     *
     * @param address where to write 2 bytes an element; not checked
     */
    default void readBf16(String name, long address) {
        if (blockType(name).equals(Optional.of(BlockType.BF16))) {
            copyBytes(name, address);
            return;
        }
        readBf16(name, 0, elements(name), address);
    }

    /**
     * Reads a piece of a tensor into native memory as bfloat16, rounded to nearest even.
     *
     * @param first the first element, counted in c order
     * @param count how many elements
     * @param address where to write 2 bytes an element; not checked
     * @throws IndexOutOfBoundsException when the range leaves the tensor
     */
    default void readBf16(String name, long first, long count, long address) {
        float[] tile = new float[(int) Math.min(TILE, count)];
        short[] rounded = new short[tile.length];
        for (long done = 0; done < count; done += tile.length) {
            int n = (int) Math.min(tile.length, count - done);
            readFloats(name, first + done, tile, 0, n);
            BFloat16.fromFloats(tile, 0, rounded, 0, n);
            NativeMemory.write(address + 2 * done, rounded, 0, n);
        }
    }

    /**
     * Reads a tensor into a new array.
     *
     * @param name the tensor; its dimensions must not be 0, which ND4J cannot hold
     * @return a FLOAT array in c order of the tensor's shape
     */
    default INDArray readF32(String name) {
        long[] shape = shape(name);
        checkReadable(name);
        if (elements(name) == 0) {
            throw new FileFormatException(path(), "tensor '" + name + "' of shape " + Arrays.toString(shape)
                    + " has no elements, which an array cannot represent");
        }
        INDArray array = Nd4j.createUninitializedDetached(DataType.FLOAT, shape);
        readF32(name, io.peft4j.core.array.Arrays.address(array));
        return array;
    }
}
