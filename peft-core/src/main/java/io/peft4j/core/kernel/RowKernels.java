package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.weight.FrozenWeight;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Biases, rows and columns that are chosen by number, softmax of rows: a group of {@link Kernels}. */
@Internal(shared = true)
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

    /**
     * {@code y[i][fromY + j] = x[i][fromX + j]} for j below {@code count}, or added to it: x [N, I], y [N, O]; other
     * columns of y are left as they are.
     */
    void copyColumns(INDArray x, int fromX, INDArray y, int fromY, int count, boolean accumulate);

    /** {@code y[i] = softmax(x[i])}: x, y [N, O]; for rows of a few hundred elements at most, as of a router. */
    void softmax(INDArray x, INDArray y);

    /** Gradient of {@link #softmax} from its result: {@code dx = y * (dy - sum over the row of dy * y)}. */
    void softmaxBackward(INDArray dy, INDArray y, INDArray dx, boolean accumulate);
}
