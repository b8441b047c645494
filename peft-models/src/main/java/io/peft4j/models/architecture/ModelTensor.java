package io.peft4j.models.architecture;

import io.peft4j.core.weight.RowReader;
import java.util.Objects;

/**
 * A tensor of a model that is to be written.
 *
 * @param name its name in a Hugging Face checkpoint
 * @param shape [rows, columns], or [columns] of a vector, which is one row
 * @param rows gives its values
 */
public record ModelTensor(String name, long[] shape, RowReader rows) {
    /** Refuses what is neither a matrix nor a vector. */
    public ModelTensor {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(rows, "rows");
        if (shape.length != 1 && shape.length != 2) {
            throw new IllegalArgumentException(name + " has " + shape.length + " dimensions");
        }
    }

    /** Whether it is a vector. */
    public boolean isVector() {
        return shape.length == 1;
    }

    /** The number of columns. */
    public int columns() {
        return Math.toIntExact(shape[shape.length - 1]);
    }

    /** The number of values. */
    public long elements() {
        return isVector() ? shape[0] : Math.multiplyExact(shape[0], shape[1]);
    }
}
