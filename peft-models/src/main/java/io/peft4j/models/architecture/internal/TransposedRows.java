package io.peft4j.models.architecture.internal;

import io.peft4j.core.weight.RowReader;

/**
 * The rows of the transpose of a matrix [rows, columns], some of them for each pass over the matrix. For use by one
 * thread.
 */
final class TransposedRows implements RowReader {
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
