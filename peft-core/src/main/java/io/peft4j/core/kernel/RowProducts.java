package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.weight.BlockType;
import java.util.Optional;
import java.util.Set;

/**
 * Products of a few rows of floats with quantized frozen weights, as each step of generation has them:
 * {@code y = x W^T}. Loops that read a weight once, block by block over the heap, where it lies or from a copy that
 * needs no more memory, and multiply floats by its exact values; sums are floats. {@link Loops#rowProducts} says
 * whether there are any.
 *
 * <p>A {@link Part} is prepared once for some output features of a weight and may be used by all threads; an instance
 * of this interface belongs to one thread. A row of y depends on the number of rows of x at most by rounding, and on
 * nothing else.
 */
@Internal(shared = true)
public interface RowProducts {
    /** The blocks that may be multiplied so. */
    Set<BlockType> BLOCKS = Set.of(BlockType.Q4_0, BlockType.Q4_1, BlockType.Q8_0);

    /** Some output features of a weight. Its memory belongs to the caller, who keeps it as long as this is used. */
    interface Part {
        /** Output features. */
        int rows();

        /** Input features. */
        int columns();
    }

    /**
     * A weight of signed bytes with a scale for each output feature, read where it lies.
     *
     * @param address the bytes {@code [rows, columns]}, c order, without gaps
     * @param scales their scales, 32-bit floats {@code [rows]}
     */
    Part int8(long address, long scales, int rows, int columns);

    /**
     * The bytes that a copy of a weight of blocks takes, or what is added to it where it is read as it lies; 0 where
     * such blocks are not multiplied.
     *
     * @param columns a multiple of the block size
     */
    long copyBytes(BlockType type, int rows, int columns);

    /**
     * Copies a weight of blocks in another order, or adds to it.
     *
     * @param address the first block
     * @param copy memory of {@link #copyBytes} bytes, which the part reads
     * @return empty where the values cannot be multiplied exactly so, since a scale is not finite
     */
    Optional<Part> copy(BlockType type, long address, int rows, int columns, long copy);

    /**
     * Computes {@code y[i, j] = sum over k of x[i, k] * w[j, k]}.
     *
     * @param x {@code [count, columns]}
     * @param y {@code [count, rows]}, whose old contents are not read
     * @param count rows of x, at least 1
     * @throws IndexOutOfBoundsException when the arrays are shorter, or count is less than 1
     * @throws IllegalArgumentException when the part was made by another implementation
     */
    void multiply(Part part, float[] x, float[] y, int count);
}
