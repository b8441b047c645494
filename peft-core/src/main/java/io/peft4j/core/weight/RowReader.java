package io.peft4j.core.weight;

import io.peft4j.core.Internal;

/** Gives the rows of a matrix as floats, one at a time: what large tensors are written from. */
@Internal(shared = true)
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
