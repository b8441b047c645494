package io.peft4j.core.kernel;

import io.peft4j.core.weight.FrozenWeight;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Biases, and rows that are chosen by number: a group of {@link Kernels}. */
public interface RowKernels {
    /** {@code y[i] = y[i] + bias}: y [N, O], bias [O]. */
    void addBias(INDArray y, INDArray bias);

    /** Gradient of {@link #addBias} for the bias: {@code db = sum over rows of dy}. */
    void addBiasBackward(INDArray dy, INDArray db, boolean accumulate);

    /** Embedding: {@code y[i] = table[ids[i]]}: table [V, H], y [N, H]. */
    void gather(FrozenWeight table, int[] ids, INDArray y);

    /** {@code y[i] = x[rows[i]]}: x [M, H], y [N, H]; a row may be taken more than once. */
    void gatherRows(INDArray x, int[] rows, INDArray y);

    /** Gradient of {@link #gatherRows}: {@code dx[rows[i]] += dy[i]}; other rows of dx are left as they are. */
    void gatherRowsBackward(INDArray dy, int[] rows, INDArray dx);
}
