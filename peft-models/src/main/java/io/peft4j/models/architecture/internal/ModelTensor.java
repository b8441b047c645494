package io.peft4j.models.architecture.internal;

import io.peft4j.core.weight.RowReader;
import java.util.Objects;
import java.util.stream.LongStream;

/**
 * A tensor of a model that is to be written.
 *
 * @param name its name in a Hugging Face checkpoint
 * @param shape [rows, columns], [columns] of a vector, which is one row, or more dimensions, of which all but the last
 *     count rows
 * @param rows gives its values
 */
public record ModelTensor(String name, long[] shape, RowReader rows) {
    /** Refuses what has no dimension. */
    public ModelTensor {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(rows, "rows");
        if (shape.length == 0) {
            throw new IllegalArgumentException(name + " has no dimension");
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

    /** The same matrix with rows and columns exchanged, read by one thread in several passes over this one. */
    public ModelTensor transposed() {
        int in = columns();
        int out = Math.toIntExact(shape[0]);
        return new ModelTensor(name, new long[] {in, out}, new TransposedRows(out, in, rows));
    }

    /** The number of values. */
    public long elements() {
        return LongStream.of(shape).reduce(1, Math::multiplyExact);
    }
}
