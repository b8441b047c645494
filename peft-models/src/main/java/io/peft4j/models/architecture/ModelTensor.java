package io.peft4j.models.architecture;

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

    /**
     * The rows of the transpose of a matrix [rows, columns], some of them for each pass over the matrix. For use by one
     * thread.
     */
    private static final class TransposedRows implements RowReader {
        /** Rows of the transpose that are held. */
        private static final int BLOCK = 64;

        private final RowReader matrix;
        private final float[] row;
        private final float[][] block;
        private int first = -1;

        TransposedRows(int rows, int columns, RowReader matrix) {
            this.matrix = matrix;
            this.row = new float[columns];
            this.block = new float[Math.min(BLOCK, columns)][rows];
        }

        @Override
        public void readRow(int index, float[] target) {
            if (first < 0 || index < first || index >= first + block.length) {
                read(index / block.length * block.length);
            }
            float[] found = block[index - first];
            System.arraycopy(found, 0, target, 0, found.length);
        }

        private void read(int start) {
            for (int i = 0; i < block[0].length; i++) {
                matrix.readRow(i, row);
                for (int j = start; j < Math.min(row.length, start + block.length); j++) {
                    block[j - start][i] = row[j];
                }
            }
            first = start;
        }
    }
}
