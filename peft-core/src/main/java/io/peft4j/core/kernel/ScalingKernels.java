package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scaling of rows and columns: a group of {@link Kernels}. Methods beside the frozen weights need it, no model does, so
 * plain loops do where nothing faster is given.
 */
@Internal(shared = true)
public interface ScalingKernels {
    /** {@code y[i][j] = x[i][j] * v[j]}: x, y [N, O], v of O elements; y may be x unless accumulating. */
    default void scaleColumns(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        ScalingLoops.scaleColumns(x, v, y, accumulate);
    }

    /** {@code y[i][j] = x[i][j] * v[i]}: x, y [N, O], v of N elements; y may be x unless accumulating. */
    default void scaleRows(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        ScalingLoops.scaleRows(x, v, y, accumulate);
    }

    /** {@code v[j] = sum over i of a[i][j] * b[i][j]}: the gradient of {@link #scaleColumns} for v. */
    default void columnDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        ScalingLoops.columnDots(a, b, v, accumulate);
    }

    /** {@code v[i] = sum over j of a[i][j] * b[i][j]}: the gradient of {@link #scaleRows} for v. */
    default void rowDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        ScalingLoops.rowDots(a, b, v, accumulate);
    }
}
