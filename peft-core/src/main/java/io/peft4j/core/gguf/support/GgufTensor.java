package io.peft4j.core.gguf.support;

import io.peft4j.core.weight.BlockType;
import java.util.Arrays;
import java.util.Optional;

/**
 * Where a tensor lies in a file and what it is.
 *
 * @param name the tensor's name
 * @param ggmlType ggml's number of its type
 * @param shape its dimensions as PyTorch gives them, [out, in]; a GGUF file holds them in the reverse order
 * @param offset where its bytes begin, from the start of the file
 * @param length how many bytes it has; for a type that is not supported, the room up to the next tensor
 */
public record GgufTensor(String name, long ggmlType, long[] shape, long offset, long length) {
    /** Copies the shape. */
    public GgufTensor {
        shape = shape.clone();
    }

    /**
     * The dimensions.
     *
     * @return a copy of the shape
     */
    @Override
    public long[] shape() {
        return shape.clone();
    }

    /**
     * The type of the values.
     *
     * @return the type, or empty where it is not supported
     */
    public Optional<BlockType> type() {
        return BlockType.ofGgml(ggmlType);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof GgufTensor that && name.equals(that.name) && ggmlType == that.ggmlType
                && Arrays.equals(shape, that.shape) && offset == that.offset && length == that.length;
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + Arrays.hashCode(shape);
    }

    @Override
    public String toString() {
        return name + " " + GgufFile.GgmlTypeNames.of(ggmlType) + Arrays.toString(shape) + " at " + offset + ", "
                + length + " bytes";
    }
}
