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

    /** The same matrix with rows and columns exchanged; all of it is read when its first row is. */
    public ModelTensor transposed() {
        int in = columns();
        int out = Math.toIntExact(shape[0]);
        float[][] columns = new float[in][];
        return new ModelTensor(name, new long[] {in, out}, (row, target) -> {
            if (columns[0] == null) {
                readColumns(columns, out);
            }
            System.arraycopy(columns[row], 0, target, 0, out);
        });
    }

    private void readColumns(float[][] columns, int rows) {
        float[] values = new float[columns.length];
        for (int c = 0; c < columns.length; c++) {
            columns[c] = new float[rows];
        }
        for (int r = 0; r < rows; r++) {
            this.rows.readRow(r, values);
            for (int c = 0; c < columns.length; c++) {
                columns[c][r] = values[c];
            }
        }
    }

    /** The number of values. */
    public long elements() {
        return LongStream.of(shape).reduce(1, Math::multiplyExact);
    }
}
