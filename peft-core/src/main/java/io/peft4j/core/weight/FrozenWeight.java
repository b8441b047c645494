package io.peft4j.core.weight;

import io.peft4j.core.Internal;

/**
 * A matrix of the base model as the kernels see it: stored {@code [rows, columns]} = {@code [out, in]} as in the
 * checkpoint, never changed by training, in the type it is kept in.
 *
 * <p>A kernel implementation knows how to multiply by each kind; none of them is expanded to f32 as a whole unless its
 * loader did so. Weights own native memory (or keep a mapped file alive) and are closed by the model that holds them.
 */
@Internal(shared = true)
public sealed interface FrozenWeight extends AutoCloseable permits DenseWeight, BlockWeight,
        Int8Weight {
    /** The number of output features. */
    int rows();

    /** The number of input features. */
    int columns();

    /** Whether the values were rounded to small integers: they are off by more than a float's rounding. */
    boolean isQuantized();

    /** What the values are kept in, for messages: {@code BFLOAT16}, {@code INT8}, the name of a type of blocks. */
    String typeName();

    /** Bytes of memory that the values take, scales included. */
    long bytes();

    /** Reads row {@code row} as floats into {@code target} from {@code offset} on. */
    void readRow(int row, float[] target, int offset);

    /** All values in c order as floats. */
    default float[] toFloats() {
        float[] values = new float[Math.multiplyExact(rows(), columns())];
        for (int i = 0; i < rows(); i++) {
            readRow(i, values, i * columns());
        }
        return values;
    }

    @Override
    void close();
}
