package io.peft4j.core.weight;

import io.peft4j.core.Internal;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a tensor lies in a file and what it is.
 *
 * @param typeName the name of the type of its values as the format has it
 * @param shape its dimensions as PyTorch gives them, [out, in]; empty for a single value
 * @param offset where its bytes begin, from the start of the file
 * @param length how many bytes it has; for a type that is not supported, the room up to the next tensor
 */
@Internal(shared = true)
public record TensorInfo(String name, String typeName, long[] shape, long offset, long length) {
    /** Copies the shape. */
    public TensorInfo {
        shape = shape.clone();
    }

    /** A copy of the shape. */
    @Override
    public long[] shape() {
        return shape.clone();
    }

    /** The type of the values; empty where a frozen weight cannot have it. */
    public Optional<BlockType> type() {
        return Stream.of(BlockType.values()).filter(type -> type.name().equals(typeName)).findFirst();
    }

    /** The number of elements. */
    public long elements() {
        return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }

    @Override
    public String toString() {
        return name + " " + typeName + Arrays.toString(shape) + " at " + offset + ", " + length + " bytes";
    }
}
