package io.peft4j.core.safetensors.support;

import io.peft4j.core.safetensors.DType;
import java.util.Arrays;
import java.util.Optional;

/**
 * Where a tensor lies in a file and what it is.
 *
 * @param name the tensor's name
 * @param dtypeName the name of its element type as the file gives it
 * @param shape its dimensions; empty for a single value
 * @param offset where its bytes begin, from the start of the file
 * @param length how many bytes it has
 */
public record TensorInfo(String name, String dtypeName, long[] shape, long offset, long length) {
    /** Copies the shape. */
    public TensorInfo {
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
     * The element type.
     *
     * @return the type, or empty where it is not one that can be read
     */
    public Optional<DType> dtype() {
        return DType.of(dtypeName);
    }

    /**
     * The number of elements.
     *
     * @return the product of the dimensions
     */
    public long elements() {
        long product = 1;
        for (long dimension : shape) {
            product *= dimension;
        }
        return product;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TensorInfo that && name.equals(that.name) && dtypeName.equals(that.dtypeName)
                && Arrays.equals(shape, that.shape) && offset == that.offset && length == that.length;
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + Arrays.hashCode(shape);
    }

    @Override
    public String toString() {
        return name + " " + dtypeName + Arrays.toString(shape) + " at " + offset + ", " + length + " bytes";
    }
}
