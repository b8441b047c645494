package io.peft4j.core.weight;

/** Gives the rows of a matrix as floats, one at a time: what large tensors are written from. */
@FunctionalInterface
public interface RowReader {
    /**
     * Reads a row.
     *
     * @param row its number, from 0 on
     * @param target where its values go, from the beginning on
     */
    void readRow(int row, float[] target);
}
